import type { TableName } from '../../../src/core/table.ts';
import type { ColumnSchema, IndexSchema, SqlText, TableSchema } from '../../../src/core/table-schema.ts';
import { collationFor } from './collations.ts';
import { sqlText, withoutIntroducers } from './sql-pieces.ts';
import type { Vendor } from './table-ddl.ts';

/** Something of the source's table that the target's is made without, or with another. */
export interface Adaptation {
  readonly level: 'error' | 'warning';
  readonly table: TableName;
  readonly what: string;
}

const transactional: ReadonlySet<string> = new Set(['innodb', 'rocksdb']);

/** Types that only one of the two has. */
const onlyOf: Readonly<Record<Vendor, RegExp>> = {
  mariadb: /^(?:uuid|inet4|inet6)\b/,
  mysql: /^vector\b/,
};

/** Options of tables that only one of the two has; what they mean does not change what is in the rows. */
const optionsOf: Readonly<Record<Vendor, RegExp>> = {
  mariadb: /^`?(?:PAGE_COMPRESS|ENCRYPT(?:ED|ION_KEY_ID)|CHECKSUM=|TRANSACTIONAL)/i,
  mysql: /^`?(?:COMPRESSION|ENCRYPTION=|AUTOEXTEND_SIZE)/i,
};

/** What the table has to be at a server of `to`, where its own one is of `from`. */
export function adaptTable(
  table: TableSchema,
  from: Vendor,
  to: Vendor,
): { readonly table: TableSchema; readonly adaptations: readonly Adaptation[] } {
  const adaptations: Adaptation[] = [];
  const note = (what: string, level: Adaptation['level'] = 'warning'): void => {
    adaptations.push({ level, table: { schema: table.schema, name: table.name }, what });
  };
  const options = engineOptions(table.options, note);
  const own = table.columns.map((column) => withoutSequence(column, note));
  if (from === to) return { table: { ...table, columns: own, options }, adaptations };
  const columns = own.map((column) => adaptColumn(column, { from, to, note }));
  const adapted: TableSchema = {
    ...table,
    columns,
    options: options.flatMap((option) => adaptOption(option, { from, to, note })),
    indexes: table.indexes.filter((index) => isThere(index, to, note)),
    checks: table.checks
      .map((check) => ({
        ...check,
        condition: carriedText(check.condition, to, `check constraint ${check.name}`, note),
      }))
      .filter(({ name, suffix }) => {
        if (suffix === '' || to === 'mysql') return true;
        note(
          `check constraint ${name} is not made: it is not enforced at the source, and MariaDB has none of that kind`,
        );
        return false;
      }),
  };
  return { table: adapted, adaptations };
}

interface Adapting {
  readonly from: Vendor;
  readonly to: Vendor;
  note(what: string, level?: Adaptation['level']): void;
}

/** Changes have to be taken back: an engine without transactions is no target. */
function engineOptions(options: readonly string[], note: Adapting['note']): readonly string[] {
  const engine = /^ENGINE=(.*)$/i.exec(options.find((option) => /^ENGINE=/i.test(option)) ?? '')?.[1];
  if (engine === undefined || transactional.has(engine.toLowerCase())) return options;
  note(`its engine is ${engine} at the source, and InnoDB here: a target's has to have transactions`);
  return ['ENGINE=InnoDB', ...options.filter((option) => /^(?:DEFAULT CHARSET|COLLATE)=/i.test(option))];
}

/** A sequence of MariaDB's is ported by hand: the table is made before it. */
function withoutSequence(column: ColumnSchema, note: Adapting['note']): ColumnSchema {
  if (column.default === null || !/\bnext(?:val\b| value for\b)/i.test(sqlText(column.default))) return column;
  note(`column ${column.name} is made without its default, which counts by a sequence: ${sqlText(column.default)}`);
  return { ...column, default: null };
}

function adaptOption(option: string, { from, to, note }: Adapting): readonly string[] {
  if (optionsOf[from].test(option)) {
    note(`the option ${option} is the source's vendor's alone`);
    return [];
  }
  const [, collation] = /^COLLATE=(\w+)$/i.exec(option) ?? [];
  return [collation === undefined ? option : `COLLATE=${collationFor(collation, to).name}`];
}

function adaptColumn(column: ColumnSchema, { from, to, note }: Adapting): ColumnSchema {
  const { name, collation, typeText } = column;
  const said = `column ${name}`;
  if (onlyOf[from].test(typeText ?? column.type))
    note(`${said} is of type ${typeText ?? column.type}, which the target does not have`, 'error');
  const carried = collation === null ? null : collationFor(collation, to);
  if (carried !== null && !carried.isSame)
    note(
      `${said} has the collation ${carried.name} here: the source's ${collation} may order and compare texts in another way`,
    );
  const others = column.options.filter((option) => {
    const isLost = option === 'COMPRESSED' || (option.startsWith('SRID') && to === 'mariadb');
    if (isLost) note(`${said} is made without ${option}, which is the source's vendor's alone`);
    return !isLost;
  });
  const value = (text: SqlText): SqlText => carriedText(text, to, said, note);
  return {
    ...column,
    collation: carried?.name ?? null,
    options: others,
    typeText: typeText === 'geomcollection' ? 'geometrycollection' : typeText,
    default: column.default === null ? null : value(column.default),
    generated: column.generated === null ? null : { ...column.generated, value: value(column.generated.value) },
  };
}

/** Collations that an expression names. */
function carriedText(text: SqlText, to: Vendor, said: string, note: Adapting['note']): SqlText {
  return text.map((piece) => {
    if (typeof piece !== 'string') return piece;
    // MariaDB forgets where such a text ends, with a quote in it.
    return withoutIntroducers(piece).replaceAll(/\bcollate\s+(\w+)/gi, (_, name: string) => {
      const carried = collationFor(name, to);
      if (!carried.isSame) note(`${said} is computed with the collation ${carried.name} here`);
      return `collate ${carried.name}`;
    });
  });
}

function isThere({ name, elements }: IndexSchema, to: Vendor, note: Adapting['note']): boolean {
  const expression = elements.find(({ isColumn }) => !isColumn);
  if (expression === undefined || to === 'mysql') return true;
  note(
    `index ${name} is not made: MariaDB has none of expressions (${sqlText(expression.value)}); a generated column with an index does the same`,
  );
  return false;
}
