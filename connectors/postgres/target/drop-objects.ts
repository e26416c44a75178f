import type pg from 'pg';
import type { DdlChange, DroppedObject } from '../../../src/core/change.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { NotCarried } from './not-carried.ts';

interface DropOptions {
  readonly client: pg.Client;
  readonly route: RouteDefinition;
}

/** Without CASCADE: what depends on it at the target is somebody's. */
const kinds: Readonly<Record<string, { readonly word: string; readonly exists: string }>> = {
  table: { word: 'table', exists: `select to_regclass($1) is not null as there` },
  index: { word: 'index', exists: `select to_regclass($1) is not null as there` },
  sequence: { word: 'sequence', exists: `select to_regclass($1) is not null as there` },
  type: { word: 'type', exists: `select to_regtype($1) is not null as there` },
  'composite type': { word: 'type', exists: `select to_regtype($1) is not null as there` },
  domain: { word: 'domain', exists: `select to_regtype($1) is not null as there` },
  schema: { word: 'schema', exists: `select to_regnamespace($1) is not null as there` },
};

/** Those that others may depend on come after them. */
const order = ['table', 'sequence', 'type', 'domain', 'index', 'schema'];

/** Drops what the source has dropped, by its name or with it by CASCADE, and nothing else. False where the target has nothing of it. */
export async function dropObjects(
  { dropped, tables, tag }: DdlChange,
  { client, route }: DropOptions,
): Promise<boolean> {
  if (tables?.kind === 'dropped' && !route.allow.includes('droppedTables'))
    throw new NotCarried('a dropped table takes its rows with it, which allow: [droppedTables] lets go');
  const there: DroppedObject[] = [];
  const constraints: DroppedObject[] = [];
  for (const object of dropped) {
    if (object.type === 'table constraint') {
      if (await isForeignKey(client, object)) constraints.push(object);
      continue;
    }
    const kind = kinds[object.type];
    if (kind === undefined) throw new NotCarried('commands of this kind are not carried');
    const { rows } = await client.query<{ there: boolean }>(kind.exists, [nameOf(object)]);
    if (rows[0]?.there === true) there.push(object);
  }
  const isWanted = ({ type, cascaded }: DroppedObject): boolean => cascaded !== true || type === 'table';
  const [wanted, found] = [dropped.filter(isWanted).length, there.filter(isWanted).length];
  if (wanted > 0 && found === 0) return false;
  if (found < wanted) throw new NotCarried('the target has only some of what it names');
  if (tag === 'DROP INDEX' && !(await areOfRoute(client, route, there.filter(isWanted)))) return false;
  for (const { schema, table = '', name } of constraints)
    await client.query(
      `alter table ${nameOf({ type: 'table', schema, name: table })} drop constraint ${quoteIdentifier(name)}`,
    );
  const words = Map.groupBy(there, ({ type }) => kinds[type]?.word ?? '');
  for (const word of order) {
    const objects = words.get(word) ?? [];
    // A sequence of a table's has gone with that.
    const ifThere = word === 'table' ? '' : 'if exists ';
    if (objects.length > 0) await client.query(`drop ${word} ${ifThere}${objects.map(nameOf).join(', ')}`);
  }
  return there.length + constraints.length > 0;
}

/** Foreign keys alone: any other constraint that had to go is one that the command was not known to reach. */
async function isForeignKey(client: pg.Client, { schema, table = '', name }: DroppedObject): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_catalog.pg_constraint where conrelid = pg_catalog.to_regclass($1) and conname = $2 and contype = 'f' and conparentid = 0`,
    [nameOf({ type: 'table', schema, name: table }), name],
  );
  return rows.length > 0;
}

function nameOf({ schema, name }: DroppedObject): string {
  return schema === null ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

async function areOfRoute(
  client: pg.Client,
  route: RouteDefinition,
  indexes: readonly DroppedObject[],
): Promise<boolean> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name from unnest($1::text[]) w (index)
     join pg_catalog.pg_index i on i.indexrelid = pg_catalog.to_regclass(w.index)
     join pg_catalog.pg_class c on c.oid = i.indrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace`,
    [indexes.map(nameOf)],
  );
  return rows.length > 0 && rows.every(({ schema, name }) => route.tables.select(schema, name) !== null);
}
