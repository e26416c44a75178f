import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { MysqlSession } from '../connect.ts';
import { columnTypeOf } from './column-type.ts';

export interface CatalogueColumn {
  readonly name: string;
  /** As columnTypeOf() names it. */
  readonly type: string;
  /** As SQL writes it. */
  readonly typeText: string;
  /** In the primary key, or where there is none in the unique key without NULL that the server takes for it. */
  readonly key: boolean;
  readonly nullable: boolean;
  readonly generated: boolean;
  /** Of a generated column; '' of others. */
  readonly expression: string;
  readonly autoIncrement: boolean;
  /** As the catalogue writes it: of no use but to see that it is another one. */
  readonly default: string | null;
  readonly extra: string;
}

export interface CatalogueTable extends TableName {
  /** `BASE TABLE`, on MariaDB also `SYSTEM VERSIONED`, `SEQUENCE`. */
  readonly kind: string;
  readonly engine: string | null;
  /** As the server's statistics have it. */
  readonly rows: number;
  readonly bytes: number;
  /** When it was made, or written anew. */
  readonly made: string;
  /** Those of all rows, in the table's order. */
  readonly columns: readonly CatalogueColumn[];
}

/** Schemas of the server itself, and Tidelock's own. */
export const ownSchemas = ['mysql', 'sys', 'information_schema', 'performance_schema', 'tidelock'] as const;

const quotedSchemas = ownSchemas.map((name) => `'${name}'`).join(', ');

/** More tables than these are not named one by one. */
const namedTables = 200;

/** The tables that `isWanted` means, views and Tidelock's own never. Two questions, whatever the number of tables. */
export async function readTables(
  session: MysqlSession,
  isWanted: (schema: string, name: string) => boolean,
): Promise<readonly CatalogueTable[]> {
  const all = await session.query(
    `SELECT table_schema, table_name, table_type, engine, table_rows, data_length, create_time FROM information_schema.tables
      WHERE table_schema NOT IN (${quotedSchemas}) AND table_type NOT IN ('VIEW', 'SYSTEM VIEW', 'SEQUENCE', 'TEMPORARY')
      ORDER BY table_schema, table_name`,
  );
  const wanted = all.filter(([schema, name]) => isWanted(String(schema), String(name)));
  if (wanted.length === 0) return [];
  const columns = await readColumns(
    session,
    wanted.map(([schema, name]) => ({ schema: String(schema), name: String(name) })),
  );
  return wanted.map(([schema, name, kind, engine, rows, bytes, made]): CatalogueTable => {
    const table = { schema: String(schema), name: String(name) };
    return {
      ...table,
      kind: String(kind),
      engine: engine ?? null,
      rows: Number(rows ?? 0),
      bytes: Number(bytes ?? 0),
      made: made ?? '',
      columns: columns.get(tableLabel(table)) ?? [],
    };
  });
}

async function readColumns(
  session: MysqlSession,
  tables: readonly TableName[],
): Promise<ReadonlyMap<string, readonly CatalogueColumn[]>> {
  const isNamed = tables.length <= namedTables;
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  const where = isNamed
    ? tables.map(() => '(table_schema = ? AND table_name = ?)').join(' OR ')
    : `table_schema IN (${schemas.map(() => '?').join(', ')})`;
  const rows = await session.query(
    `SELECT table_schema, table_name, column_name, data_type, column_type, character_maximum_length, numeric_precision, numeric_scale,
       datetime_precision, collation_name, column_key, is_nullable, generation_expression, extra, column_default
       FROM information_schema.columns WHERE ${where} ORDER BY table_schema, table_name, ordinal_position`,
    isNamed ? tables.flatMap(({ schema, name }) => [schema, name]) : schemas,
  );
  const found = new Map<string, CatalogueColumn[]>();
  for (const row of rows) {
    const [schema, table, name, dataType, columnType, characters, precision, scale, digits, collation] = row;
    const [key, nullable, generation, extra, byDefault] = row.slice(10);
    const label = tableLabel({ schema: String(schema), name: String(table) });
    const columns = found.get(label) ?? [];
    found.set(label, columns);
    const typed = { characters, precision, scale, digits, collation } as const;
    columns.push({
      name: String(name),
      type: columnTypeOf({
        dataType: String(dataType),
        columnType: String(columnType),
        characters: typed.characters ?? null,
        precision: typed.precision ?? null,
        scale: typed.scale ?? null,
        digits: typed.digits ?? null,
        collation: typed.collation ?? null,
      }),
      typeText: String(columnType),
      key: key === 'PRI',
      nullable: nullable === 'YES',
      generated: (generation ?? '') !== '',
      expression: generation ?? '',
      autoIncrement: /\bauto_increment\b/i.test(extra ?? ''),
      default: byDefault ?? null,
      extra: extra ?? '',
    });
  }
  return found;
}

/** The table as a route has it: generated columns do not travel. */
export function versionOf({ schema, name, columns }: CatalogueTable): TableVersion {
  const generated = columns.filter((column) => column.generated).map((column) => column.name);
  return {
    schema,
    name,
    identity: 'full',
    columns: columns
      .filter((column) => !column.generated)
      .map(({ name: column, type, key }) => ({ name: column, type, modifier: -1, key })),
    ...(generated.length > 0 && { generated }),
  };
}
