import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import type { DdlChange } from '../../../src/core/change.ts';
import type { TableName } from '../../../src/core/table.ts';
import type { TableDefinition, TableFacts } from '../../../src/core/table-facts.ts';
import { quoteTable } from '../identifiers.ts';
import { readTableFacts } from '../source/table-facts.ts';
import { NotCarried } from './not-carried.ts';

interface Proof {
  readonly change: DdlChange;
  /** The table as it was before, null of one that was made. */
  readonly stored: TableDefinition | null;
  readonly isCreated: boolean;
}

/** Throws NotCarried where the command has not made of the target's table what it has made of the source's. */
export async function proveCommand(client: pg.Client, { change, stored, isCreated }: Proof): Promise<void> {
  const { facts } = change;
  if (facts === null) return;
  const [there] = await readTableFacts(client, [facts]);
  if (there === undefined) throw new NotCarried('it has made no table of that name at the target');
  if (isCreated) {
    if (!isDeepStrictEqual(shapeOf(there), shapeOf(facts)))
      throw new NotCarried('it has made a table of other columns at the target than at the source');
    return;
  }
  const old = new Map((stored?.columns ?? []).map((column) => [column.id, column.name]));
  for (const column of facts.columns) {
    const other = there.columns.find(({ name }) => name === column.name);
    if (other === undefined && !there.generated.some(({ name }) => name === column.name))
      throw new NotCarried(`the target has no column ${column.name} after it`);
    if (stored === null || old.has(column.id) || other === undefined) continue;
    if (other.type !== column.type || other.modifier !== column.modifier)
      throw new NotCarried(`column ${column.name} is of another type at the target`);
    // A default that is no constant (now()) gives the rows that are there another value at each side.
    if (other.missing !== column.missing)
      throw new NotCarried(`rows that are there would have another value in column ${column.name} than at the source`);
  }
  const names = new Set([...facts.columns, ...facts.generated].map(({ name }) => name));
  const left = [...old.values()].find(
    (name) => !names.has(name) && there.columns.some((column) => column.name === name),
  );
  if (left !== undefined) throw new NotCarried(`the target still has column ${left} after it`);
}

/** Without what each side has for itself: ids, stamps, places. */
function shapeOf({ columns, generated, identity }: TableFacts): unknown {
  return {
    identity,
    columns: columns.map(({ name, type, modifier, nullable, key }) => ({ name, type, modifier, nullable, key })),
    generated: generated.map(({ name }) => name),
  };
}

/** Types by column, each as the catalogue writes it, a domain by what it is made of. */
export async function columnTypes(
  client: pg.Client,
  table: TableName,
  columns: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (columns.length === 0) return new Map();
  const { rows } = await client.query<{ name: string; type: string }>(
    `with recursive step (name, type) as (
       select attname, atttypid from pg_catalog.pg_attribute where attrelid = to_regclass($1) and attname = any ($2::text[])
       union all select s.name, t.typbasetype from step s join pg_catalog.pg_type t on t.oid = s.type and t.typtype = 'd'
     )
     select s.name, case when t.typtype = 'e' then 'enum' else n.nspname || '.' || t.typname end as type
     from step s join pg_catalog.pg_type t on t.oid = s.type and t.typtype <> 'd' join pg_catalog.pg_namespace n on n.oid = t.typnamespace`,
    [quoteTable(table), columns],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/** Their casts among each other are the server's own, and depend on nothing but the settings that come with a command. */
const casting: ReadonlySet<string> = new Set(
  [
    ...[
      'bool',
      'int2',
      'int4',
      'int8',
      'float4',
      'float8',
      'numeric',
      'text',
      'varchar',
      'bpchar',
      'name',
      'bytea',
      'uuid',
    ],
    ...[
      'date',
      'time',
      'timestamp',
      'interval',
      'json',
      'jsonb',
      'bit',
      'varbit',
      'inet',
      'cidr',
      'macaddr',
      'macaddr8',
    ],
  ].map((name) => `pg_catalog.${name}`),
);

const zoned: ReadonlySet<string> = new Set(['pg_catalog.timestamptz', 'pg_catalog.timetz']);

/** Rows were written anew for other types: that the values are the same at both sides is only known of some casts. */
export function proveTypes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  for (const [column, from] of before) {
    const to = after.get(column);
    const isText = (type: string | undefined): boolean => /^pg_catalog\.(text|varchar|bpchar)$/.test(type ?? '');
    const isKnown =
      (casting.has(from) && casting.has(to ?? '')) ||
      (from === to && zoned.has(from)) ||
      (from === 'enum' && isText(to)) ||
      (isText(from) && to === 'enum');
    if (!isKnown)
      throw new NotCarried(
        `the rows were written anew, and the cast of column ${column} may give other values at each side`,
      );
  }
}

/** The digits behind the point of a numeric are its column's: as text the values would have those of each side. */
export async function proveScales(
  client: pg.Client,
  stored: TableDefinition | null,
  columns: readonly string[],
): Promise<void> {
  if (stored === null || columns.length === 0) return;
  const [there] = await readTableFacts(client, [stored]);
  for (const name of columns) {
    const [here, other] = [stored, there].map((table) => table?.columns.find((column) => column.name === name));
    if (here === undefined || other === undefined) continue;
    const isNumeric = [here, other].some(({ type }) => type === 'pg_catalog.numeric');
    if (isNumeric && (here.type !== other.type || here.modifier !== other.modifier))
      throw new NotCarried(
        `the rows were written anew, and column ${name} has another scale there than at the source, so that its values may`,
      );
  }
}

/** A type's default that is no constant gives each side another value, as one does that was computed when the type was made. */
export async function proveDefaults(client: pg.Client, table: TableName, columns: readonly string[]): Promise<void> {
  if (columns.length === 0) return;
  const { rows } = await client.query<{ name: string; value: string }>(
    `select a.attname as name, t.typdefault as value
     from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
     where a.attrelid = to_regclass($1) and a.attname = any ($2::text[]) and t.typdefault is not null`,
    [quoteTable(table), columns],
  );
  const other = rows.find(({ value }) => !/^(-?[0-9.]+|'([^']|'')*'(::(?!date|time)[^']*)?)$/.test(value));
  if (other !== undefined)
    throw new NotCarried(`the default of the type of column ${other.name} may have another value at each side`);
}
