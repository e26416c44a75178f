import { tableLabel } from '../../../../src/core/table.ts';
import type { ParkedTables } from '../../../sql/parking/parking.ts';
import { type KeyColumns, TableClaims } from '../../../sql/parking/table-claims.ts';
import type { ForeignKey, TableKeys } from '../../../sql/parking/table-keys.ts';
import { readTables } from '../../catalogue/read-tables.ts';
import type { MysqlSession } from '../../connect.ts';
import { places } from '../../state/statements.ts';
import { integerBases, parseType } from '../column-kind.ts';
import { normaliser } from '../key-form.ts';
import type { TablePlan } from '../table-plan.ts';

/** What parked changes of tables at MySQL or MariaDB hold. Full row images are logged there; of other sources only what is logged is known. */
export function parkedTables(session: MysqlSession): ParkedTables<TablePlan> {
  return {
    claims: async (plans) => {
      const foreign = await readForeignKeys(session, [...new Set(plans.map(({ target }) => target.schema))]);
      return new Map(plans.map((plan) => [plan, new TableClaims(plan, keysOf(plan, foreign), keyColumns(plan))]));
    },
    oldRows: async () => () => undefined,
  };
}

interface StoredForeignKey extends ForeignKey {
  readonly child: string;
}

function keysOf({ target }: TablePlan, foreign: readonly StoredForeignKey[]): TableKeys {
  const name = tableLabel(target);
  const referenced = new Map(
    foreign.filter(({ parent }) => parent === name).map(({ parentColumns }) => [parentColumns.join(), parentColumns]),
  );
  return {
    name,
    unique: target.uniqueIndexes.map(({ columns, partial }) => ({
      columns,
      nullsDistinct: true,
      hasExpressions: partial,
    })),
    foreign: foreign.filter(({ child }) => child === name),
    referenced: [...referenced.values()],
    hasExclusion: false,
  };
}

/** Columns in the order of the names of those that they point to, so that both sides name the key alike. */
async function readForeignKeys(session: MysqlSession, schemas: readonly string[]): Promise<StoredForeignKey[]> {
  const of = places(schemas);
  const rows = await session.query(
    `select constraint_schema, table_schema, table_name, constraint_name, column_name, referenced_table_schema, referenced_table_name, referenced_column_name
     from information_schema.key_column_usage where referenced_table_name is not null and (table_schema in (${of}) or referenced_table_schema in (${of}))
     order by constraint_schema, table_schema, table_name, constraint_name, referenced_column_name`,
    [...schemas, ...schemas],
  );
  if (rows.length === 0) return [];
  const parents = new Set(
    rows.map(([, , , , , schema, name]) => tableLabel({ schema: String(schema), name: String(name) })),
  );
  const found = await readTables(session, (schema, name) => parents.has(tableLabel({ schema, name })));
  const typeOf = (table: string, column: string): string =>
    found
      .find((one) => tableLabel(one) === table)
      ?.columns.find(({ name }) => name.toLowerCase() === column.toLowerCase())?.type ?? '';
  const keys = Map.groupBy(rows, ([, schema, table, constraint]) => JSON.stringify([schema, table, constraint]));
  return [...keys.values()].map((columns): StoredForeignKey => {
    const [, schema, name, , , parentSchema, parentName] = columns[0] ?? [];
    const parent = tableLabel({ schema: String(parentSchema), name: String(parentName) });
    const parentColumns = columns.map((row) => String(row[7]).toLowerCase());
    return {
      child: tableLabel({ schema: String(schema), name: String(name) }),
      columns: columns.map((row) => String(row[4])),
      parent,
      parentColumns,
      parentTypes: parentColumns.map((column) => typeOf(parent, column)),
    };
  });
}

function keyColumns(plan: TablePlan): KeyColumns {
  const columnAt = (index: number) => plan.columns.find((bound) => bound.index === index)?.column;
  return {
    indexOf: (name) => plan.columns.find(({ column }) => column.name.toLowerCase() === name.toLowerCase())?.index ?? -1,
    normaliser: (index) => {
      const column = columnAt(index);
      return column === undefined ? null : normaliser(column);
    },
    isComparable: (index, parent) => {
      const child = columnAt(index)?.type;
      if (child === undefined) return false;
      const { base, collation } = parseType(parent);
      if (integerBases.has(child.base) && integerBases.has(base)) return true;
      return child.base === base && child.collation === collation && base !== 'bit';
    },
    unlogged: 'every',
  };
}
