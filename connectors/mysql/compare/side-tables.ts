import type { SideColumn, SideKeyColumn, SideTable } from '../../../src/core/compare-side.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { readTables } from '../catalogue/read-tables.ts';
import type { MysqlSession } from '../connect.ts';
import type { RangeKeyPart } from '../source/range-key.ts';
import { type ColumnType, integerBases, literalKind, parseType } from '../target/column-kind.ts';
import { readUniqueIndexes } from '../target/target-table.ts';
import { type CanonicalColumn, canonicalColumn, canonicalTexts } from './canonical-text.ts';

/** A table as MySQL or MariaDB has it, with what SQL about it needs. */
export interface MysqlSideTable extends SideTable {
  readonly columns: readonly MysqlSideColumn[];
}

export interface MysqlSideColumn extends SideColumn {
  /** What SQL writes of its type. */
  readonly typeText: string;
  readonly parsed: ColumnType;
  readonly canonical: CanonicalColumn;
  /** For bounds of ranges. */
  readonly part: RangeKeyPart;
  readonly order: string | null;
}

/** Those of the named tables that are there. `of` the source: rows are looked up there by the primary key alone, where there is one (MysqlReader). */
export async function readSideTables(
  session: MysqlSession,
  names: readonly TableName[],
  of: 'source' | 'target',
): Promise<readonly MysqlSideTable[]> {
  const labels = new Set(names.map(tableLabel));
  const tables = await readTables(session, (schema, name) => labels.has(tableLabel({ schema, name })));
  const indexes = await readUniqueIndexes(session, [...new Set(tables.map(({ schema }) => schema))]);
  const vendor = session.node.type === 'mysql' ? 'mysql' : 'mariadb';
  return tables.map(({ schema, name, rows, columns: described }) => {
    const columns = described.map(({ name: column, type, typeText }): MysqlSideColumn => {
      const parsed = parseType(type);
      return {
        name: column,
        type,
        modifier: -1,
        typeText,
        parsed,
        canonical: canonicalColumn({ name: column, type: parsed, typeText, vendor }),
        part: { name: column, type: parsed, kind: literalKind(parsed) },
        order: orderOf(parsed, vendor),
        canonicalTexts: canonicalTexts(parsed),
      };
    });
    const keyColumn = (key: string): SideKeyColumn => ({
      name: key,
      order: columns.find((column) => column.name === key)?.order ?? null,
    });
    const unique = (indexes.get(tableLabel({ schema, name })) ?? []).filter((one) => !one.partial && one.allNotNull);
    const keys = of === 'source' && unique[0]?.primary === true ? unique.slice(0, 1) : unique;
    return { schema, name, estimatedRows: rows, columns, keys: keys.map((key) => key.columns.map(keyColumn)) };
  });
}

/** PostgreSQL's names for the same order. */
const orders: Readonly<Record<string, string>> = {
  double: 'float8',
  year: 'year',
  date: 'date',
  time: 'time',
  datetime: 'timestamp',
  timestamp: 'timestamptz',
  bit: 'bits',
  binary: 'bytea',
  varbinary: 'bytea',
};

/** See SideKeyColumn: null where two servers may order the values in different ways, or a bound can't be written. */
function orderOf({ base, collation }: ColumnType, vendor: string): string | null {
  if (integerBases.has(base) || base === 'decimal') return 'number';
  const order = orders[base];
  if (order !== undefined) return order;
  if ((base !== 'char' && base !== 'varchar') || collation === null) return null;
  // As UTF-8's bytes; the others take blanks at the end for nothing.
  if (/^utf8mb4_(?:0900|nopad)_bin$/.test(collation)) return base === 'varchar' ? 'text C' : 'char C';
  // By their characters' numbers. The weights of others are each vendor's own.
  return /_bin$/.test(collation) ? `text ${collation}` : `text ${vendor} ${collation}`;
}
