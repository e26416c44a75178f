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

/** Drops what the source has dropped by name. False where the target has nothing of it. */
export async function dropObjects(
  { dropped, tables, tag }: DdlChange,
  { client, route }: DropOptions,
): Promise<boolean> {
  if (tables?.kind === 'dropped' && !route.allow.includes('droppedTables'))
    throw new NotCarried('a dropped table takes its rows with it, which allow: [droppedTables] lets go');
  const there: DroppedObject[] = [];
  for (const object of dropped) {
    const kind = kinds[object.type];
    if (kind === undefined) throw new NotCarried('commands of this kind are not carried');
    const { rows } = await client.query<{ there: boolean }>(kind.exists, [nameOf(object)]);
    if (rows[0]?.there === true) there.push(object);
  }
  if (there.length === 0) return false;
  if (there.length < dropped.length) throw new NotCarried('the target has only some of what it names');
  if (tag === 'DROP INDEX' && !(await areOfRoute(client, route, there))) return false;
  const word = kinds[there[0]?.type ?? '']?.word;
  await client.query(`drop ${word} ${there.map(nameOf).join(', ')}`);
  return true;
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
