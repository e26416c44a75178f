import type { RangeVar } from 'libpg-query';
import type pg from 'pg';
import type { DdlChange } from '../../../src/core/change.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { isMappedAsIs } from '../../../src/core/mapped-as-is.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import type { TableDefinition } from '../../../src/core/table-facts.ts';
import { isPostgresError, sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { columnTypes, proveCommand, proveDefaults, proveScales, proveTypes } from './command-proof.ts';
import { dropObjects } from './drop-objects.ts';
import { NotCarried } from './not-carried.ts';
import { type Command, readCommand } from './read-command.ts';
import { registerTables } from './register-tables.ts';

export interface CarryOptions {
  readonly client: pg.Client;
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly logger: Logger;
  /** Rows are missing at the target that the source has. */
  readonly isParking: boolean;
}

/**
 * Carries out one DDL command of the source in the open target transaction, under the settings that its text was written
 * for, proves that its table has become what the source's has, and stores what the route carries from here on. Throws (halt) for what is not
 * safe, and where the target has become another thing than the source has.
 */
export async function carryCommand(change: DdlChange, options: CarryOptions): Promise<void> {
  const { client, route } = options;
  const { tag, object, at: position } = change;
  const place = { route: route.name, tag, object, position };
  try {
    if (!change.applied) await carryOut(change, options);
    await registerTables(change, options);
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
  await resetSettings(client);
}

async function carryOut(change: DdlChange, { client, route, routeId, isParking, logger }: CarryOptions): Promise<void> {
  const { table, tables, settings, tag, object, at } = change;
  const isRenamed = tables?.kind === 'renamed';
  for (const name of [table, isRenamed ? tables.from : null]) if (name !== null) checkMapping(route, name);
  const tell = (): void => logger.warn({ tag, object, position: at }, 'command left out: the target goes without it');
  const isDrop = change.dropped.length > 0;
  const command = isDrop && change.obstacle === null ? null : await readCommand(change);
  if (command?.leftOut) return tell();
  if (isParking)
    throw new NotCarried(
      'transactions are parked, without whose rows it may mean something else: retry or discard them first',
    );
  // A table with a pending check can't be altered; at the source none of its own was pending either.
  await client.query('set constraints all immediate');
  if (command === null) return (await dropObjects(change, { client, route })) ? undefined : tell();
  for (const [name, value] of Object.entries(settings)) {
    if (!taken.has(name)) continue;
    await client.query(`select set_config($1, $2, true)`, [name, value]);
  }
  const isCreated = tag.startsWith('CREATE TABLE') || tag === 'SELECT INTO';
  const before = isRenamed ? tables.from : table;
  if (table !== null && before !== null)
    await checkPlace(client, { table: before, command, isCreated, isPart: change.facts === null });
  const stored = before === null || isCreated ? null : await storedDefinition(client, routeId, before);
  await proveScales(client, stored, command.retyped);
  const typesBefore = before === null ? null : await columnTypes(client, before, command.retyped);
  if (tag === 'CREATE INDEX' && (await isThere(client, object)))
    throw new NotCarried('the target has something of that name already');
  await client.query(textOf(change, command));
  if (typesBefore !== null && table !== null)
    proveTypes(typesBefore, await columnTypes(client, table, command.retyped));
  if (table !== null) await proveDefaults(client, table, command.defaulted);
  // An index without a name of its own gets one from the server.
  if (tag === 'CREATE INDEX' && !(await isThere(client, object)))
    throw new NotCarried('the index has got another name at the target');
  await proveCommand(client, { change, stored, isCreated });
}

/** A schema that is there already is what the command wants; whose it is, is the target's matter. */
function textOf({ tag, name }: DdlChange, { text }: Command): string {
  return tag === 'CREATE SCHEMA' ? `create schema if not exists ${quoteIdentifier(name)}` : text;
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
function checkMapping(route: RouteDefinition, table: TableName): void {
  const mapped = route.tables.select(table.schema, table.name);
  if (mapped === null) throw new NotCarried('the table is not part of the route');
  if (!isMappedAsIs(table, mapped))
    throw new NotCarried(
      'the route gives the table other names, columns or rows at the target, which its text does not know',
    );
}

interface PlaceCheck {
  readonly table: TableName;
  readonly command: Command;
  readonly isCreated: boolean;
  /** The command is about a partition of the table. */
  readonly isPart: boolean;
}

/** That the text means the same table there: a search path may find another one first. A table that is to be made must not be there. */
async function checkPlace(client: pg.Client, { table, command, isCreated, isPart }: PlaceCheck): Promise<void> {
  if (isCreated && !isPart) {
    if (await isThere(client, quoteTable(table))) throw new NotCarried('the target has something of that name already');
  }
  if (isCreated || isPart || command.relation === null) return;
  const { rows } = await client.query('select to_regclass($1) as found, to_regclass($2) as meant', [
    nameOf(command.relation),
    quoteTable(table),
  ]);
  const { found, meant } = rows[0] ?? {};
  if (found !== null && found !== meant) throw new NotCarried('its text means another table at the target');
}

function nameOf({ schemaname, relname = '' }: RangeVar): string {
  return [...(schemaname === undefined ? [] : [schemaname]), relname].map(quoteIdentifier).join('.');
}

async function storedDefinition(client: pg.Client, routeId: number, table: TableName): Promise<TableDefinition | null> {
  const { rows } = await client.query<{ definition: TableDefinition | null }>(
    'select definition from tidelock.tables where route_id = $1 and source = $2',
    [routeId, tableLabel(table)],
  );
  return rows[0]?.definition ?? null;
}

async function isThere(client: pg.Client, relation: string): Promise<boolean> {
  const { rows } = await client.query('select to_regclass($1) is not null as there', [relation]);
  return rows[0]?.there === true;
}
