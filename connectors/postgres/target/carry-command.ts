import type pg from 'pg';
import type { DdlChange } from '../../../src/core/change.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { isPostgresError, sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { type Command, NotCarried, readCommand } from './read-command.ts';

export interface CarryOptions {
  readonly client: pg.Client;
  readonly route: RouteDefinition;
  readonly routeId: number;
  /** Rows are missing at the target that the source has. */
  readonly isParking: boolean;
}

/**
 * Carries out one DDL command of the source in the open target transaction, under the settings that its text was written
 * for. Throws (halt) for what is not safe, and where the target has become another thing than the source has.
 */
export async function carryCommand(change: DdlChange, options: CarryOptions): Promise<void> {
  const { client, route, routeId } = options;
  const { tag, object, at: position, table } = change;
  const place = { route: route.name, tag, object, position };
  try {
    if (!change.applied && !(await carryOut(change, options))) return;
  } catch (error) {
    if (error instanceof NotCarried) throw fail(targetErrors.commandNotCarried, { ...place, why: error.message });
    const state = sqlState(error);
    // The connection, resources, deadlocks: as with rows, tried again.
    if (error instanceof TidelockError || !isPostgresError(error) || /^(08|57P|40|53|55P03|57014)/.test(state ?? ''))
      throw error;
    // What the server says may quote a literal of the command.
    const message = /^(22|P0|42601)/.test(state ?? '') ? 'see the server log' : error.message;
    throw fail(targetErrors.commandRefused, { ...place, sqlState: state ?? '', message }, error);
  }
  // The definition that the queue announces next is what this command has made.
  if (tag === 'ALTER TABLE' && table !== null)
    await client.query(
      `update tidelock.tables set definition = definition || '{"commanded": true}'
       where route_id = $1 and source = $2 and definition is not null`,
      [routeId, tableLabel(table)],
    );
}

/** False where the target has nothing that it could mean. */
async function carryOut(change: DdlChange, { client, route, isParking }: CarryOptions): Promise<boolean> {
  const { table, settings } = change;
  if (table !== null) checkMapping(route, table);
  const command = await readCommand(change);
  if (isParking)
    throw new NotCarried(
      'transactions are parked, without whose rows it may mean something else: retry or discard them first',
    );
  // A table with a pending check can't be altered; at the source none of its own was pending either.
  await client.query('set constraints all immediate');
  for (const [name, value] of Object.entries(settings)) {
    if (!taken.has(name)) continue;
    await client.query(`select set_config($1, $2, true)`, [name, value]);
  }
  if (command.indexes.length > 0 && !(await hasIndexes(client, route, command))) {
    await resetSettings(client);
    return false;
  }
  await client.query(command.text);
  if (change.tag === 'CREATE INDEX') await checkIndex(client, change.object);
  if (table !== null && command.added.length > 0) await checkAdded(client, quoteTable(table), { change, command });
  await resetSettings(client);
  return true;
}

const taken: ReadonlySet<string> = new Set([
  'search_path',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'bytea_output',
  'extra_float_digits',
]);

/** To what the session was opened with. */
async function resetSettings(client: pg.Client): Promise<void> {
  for (const name of taken) await client.query(`set local ${name} to default`);
}

/** A command's text names tables and columns as the source does. */
function checkMapping(route: RouteDefinition, { schema, name }: { schema: string; name: string }): void {
  const mapped = route.tables.select(schema, name);
  if (mapped === null) throw new NotCarried('the table is not part of the route');
  const { target, where, includedColumns, excludedColumns, renamedColumns, key, transforms } = mapped;
  const isSame =
    target.schema === schema &&
    target.name === name &&
    where === null &&
    includedColumns === null &&
    excludedColumns.length === 0 &&
    renamedColumns.size === 0 &&
    key === null &&
    transforms.length === 0;
  if (!isSame)
    throw new NotCarried(
      'the route gives the table other names, columns or rows at the target, which its text does not know',
    );
}

/** True where all indexes are there, of tables of the route; false where none is. */
async function hasIndexes(client: pg.Client, route: RouteDefinition, { indexes }: Command): Promise<boolean> {
  const { rows } = await client.query<{ schema: string | null; name: string | null }>(
    `select n.nspname as schema, c.relname as name from unnest($1::text[]) w(index)
     left join pg_catalog.pg_index i on i.indexrelid = pg_catalog.to_regclass(w.index)
     left join pg_catalog.pg_class c on c.oid = i.indrelid left join pg_catalog.pg_namespace n on n.oid = c.relnamespace`,
    [indexes.map((names) => names.map(quoteIdentifier).join('.'))],
  );
  const ours = rows.filter(({ schema, name }) => schema !== null && name !== null && route.tables.select(schema, name));
  if (ours.length === 0) return false;
  if (ours.length < rows.length) throw new NotCarried('the target has only some of the indexes');
  return true;
}

/** An index without a name of its own gets one from the server. */
async function checkIndex(client: pg.Client, index: string): Promise<void> {
  const { rows } = await client.query('select to_regclass($1) is not null as there', [index]);
  if (rows[0]?.there !== true) throw new NotCarried('the index has got another name at the target');
}

/** A default that is no constant (now()) gives the rows that are there another value at each side. */
async function checkAdded(
  client: pg.Client,
  table: string,
  { change, command }: { readonly change: DdlChange; readonly command: Command },
): Promise<void> {
  const { rows } = await client.query<{ name: string; missing: string | null }>(
    `select attname as name, attmissingval::text as missing from pg_catalog.pg_attribute
     where attrelid = $1::text::pg_catalog.regclass and attname = any ($2::text[])`,
    [table, command.added],
  );
  const differing = rows.find(({ name, missing }) => missing !== (change.missing[name] ?? null));
  if (differing !== undefined)
    throw new NotCarried(`rows that are there would have another value in column ${differing.name} than at the source`);
}
