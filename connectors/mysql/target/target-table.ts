import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { readTables } from '../catalogue/read-tables.ts';
import type { MysqlSession } from '../connect.ts';
import { type AlteredValue, alteredValue } from './altered-value.ts';
import { type ColumnType, type LiteralKind, literalKind, parseType } from './column-kind.ts';

export interface TargetColumn {
  readonly name: string;
  /** As catalogue/column-type.ts names it. */
  readonly typeName: string;
  readonly type: ColumnType;
  readonly kind: LiteralKind;
  readonly notNull: boolean;
  readonly generated: boolean;
  readonly hasDefault: boolean;
  /** What the server stores in place of a NULL that it is given; null: NULL, or an error. */
  readonly insteadOfNull: string | null;
  /** Of texts that it is given; null: it stores each, or refuses it. */
  readonly altered: AlteredValue | null;
}

export interface TargetIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primary: boolean;
  /** Over a part of a column, or an expression: it can't tell rows apart by its columns alone. */
  readonly partial: boolean;
  readonly allNotNull: boolean;
}

/** Of a table all of whose rows are logged whole: by a unique index with this column rows may be found. */
export function isFoundBy({ uniqueIndexes }: Pick<TargetTable, 'uniqueIndexes'>, column: string): boolean {
  return uniqueIndexes.some(({ partial, allNotNull, columns }) => !partial && allNotNull && columns.includes(column));
}

/** A table at the target, with all that decides how changes are applied to it. */
export interface TargetTable extends TableName {
  readonly engine: string | null;
  /** `BASE TABLE`, `SYSTEM VERSIONED`. */
  readonly kind: string;
  readonly columns: readonly TargetColumn[];
  readonly uniqueIndexes: readonly TargetIndex[];
  /** Labels of the tables that its foreign keys point to, itself left out. */
  readonly references: readonly string[];
  /** Foreign keys of other tables that change them when a row here changes or goes. */
  readonly cascades: readonly string[];
  readonly triggers: readonly string[];
}

/** Definitions of the named tables; one that does not exist, or is a view, is missing from the result. */
export async function readTargetTables(session: MysqlSession, names: readonly TableName[]): Promise<TargetTable[]> {
  if (names.length === 0) return [];
  const labels = new Set(names.map(tableLabel));
  const tables = await readTables(session, (schema, name) => labels.has(tableLabel({ schema, name })));
  const schemas = [...new Set(names.map(({ schema }) => schema))];
  const of = schemas.map(() => '?').join(', ');
  const indexes = await readUniqueIndexes(session, schemas);
  const triggers = byTable(
    await session.query(
      `select event_object_schema, event_object_table, trigger_name from information_schema.triggers
       where event_object_schema in (${of}) order by trigger_name`,
      schemas,
    ),
  );
  const foreign = await session.query(
    `select constraint_schema, table_name, unique_constraint_schema, referenced_table_name, constraint_name, update_rule, delete_rule
     from information_schema.referential_constraints where constraint_schema in (${of}) or unique_constraint_schema in (${of})`,
    [...schemas, ...schemas],
  );
  return tables.map(({ schema, name, engine, kind, columns }) => {
    const label = tableLabel({ schema, name });
    const at = (s: unknown, n: unknown): string => tableLabel({ schema: String(s), name: String(n) });
    const isActing = (rule: string | null | undefined): boolean => !/^(?:RESTRICT|NO ACTION)$/.test(rule ?? '');
    return {
      schema,
      name,
      engine,
      kind,
      columns: columns.map((column) => {
        const type = parseType(column.type);
        return {
          name: column.name,
          typeName: column.type,
          type,
          kind: literalKind(type),
          notNull: !column.nullable,
          generated: column.generated || /\bROW (?:START|END)\b/i.test(column.extra),
          insteadOfNull: column.autoIncrement
            ? 'the next number that it counts'
            : type.base === 'timestamp' && !column.nullable
              ? 'the present time'
              : null,
          altered: alteredValue(type),
          hasDefault: column.default !== null || column.autoIncrement || /DEFAULT_GENERATED/i.test(column.extra),
        };
      }),
      uniqueIndexes: indexes.get(label) ?? [],
      references: foreign
        .filter(([s, n, us, un]) => at(s, n) === label && at(us, un) !== label)
        .map(([, , us, un]) => at(us, un)),
      cascades: foreign
        .filter(
          ([, , us, un, , onUpdate, onDelete]) => at(us, un) === label && (isActing(onUpdate) || isActing(onDelete)),
        )
        .map(([, , , , constraint]) => String(constraint)),
      triggers: (triggers.get(label) ?? []).map(([trigger]) => String(trigger)),
    };
  });
}

/** Of all tables of these databases, by their labels; the primary key first. */
export async function readUniqueIndexes(
  session: MysqlSession,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, readonly TargetIndex[]>> {
  if (schemas.length === 0) return new Map();
  const rows = await session.query(
    `select table_schema, table_name, index_name, column_name, sub_part, nullable from information_schema.statistics
     where non_unique = 0 and table_schema in (${schemas.map(() => '?').join(', ')}) order by table_schema, table_name, index_name, seq_in_index`,
    schemas,
  );
  return new Map([...byTable(rows)].map(([label, parts]) => [label, indexesOf(parts)]));
}

type Rows = readonly (readonly (string | null)[])[];

/** By the label of the table that the first two columns name; the rest of each row. */
function byTable(rows: Rows): Map<string, (readonly (string | null)[])[]> {
  const found = new Map<string, (readonly (string | null)[])[]>();
  for (const [schema, name, ...rest] of rows) {
    const label = tableLabel({ schema: String(schema), name: String(name) });
    const list = found.get(label) ?? [];
    found.set(label, list);
    list.push(rest);
  }
  return found;
}

function indexesOf(rows: Rows): TargetIndex[] {
  const names = [...new Set(rows.map(([name]) => String(name)))];
  const indexes = names.map((name) => {
    const parts = rows.filter(([of]) => of === name);
    return {
      name,
      columns: parts.map(([, column]) => column ?? ''),
      primary: name === 'PRIMARY',
      partial: parts.some(([, column, length]) => column === null || length !== null),
      allNotNull: parts.every(([, , , nullable]) => nullable !== 'YES'),
    };
  });
  return indexes.sort((a, b) => Number(b.primary) - Number(a.primary));
}
