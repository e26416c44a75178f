import type pg from 'pg';
import type { DdlChange } from '../../../src/core/change.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { SchemaStep } from '../../../src/core/schema-step.ts';
import { type Column, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { Evolving } from '../../sql/apply/evolutions.ts';
import { isPostgresError, sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../identifiers.ts';
import { registerTables } from '../state/registered-tables.ts';
import { readTargetTables } from './target-table.ts';
import { typeFits } from './type-fit.ts';

export interface EvolveOptions {
  readonly client: pg.Client;
  readonly route: string;
  /** The target's name. */
  readonly node: string;
  readonly routeId: number;
}

/**
 * Follows one definition in the open target transaction: the target's table, and what is stored about the source's. Never CASCADE:
 * what depends on a column at the target is somebody's.
 */
export async function evolveTable(
  change: Exclude<Evolving, DdlChange>,
  { client, route, node, routeId }: EvolveOptions,
): Promise<void> {
  const { stored, steps } = change.evolution;
  const table = change.to;
  // A table with a pending check can't be altered; at the source none of its own was pending either.
  if (steps.length > 0) await client.query('set constraints all immediate');
  for (const step of steps) {
    for (const text of await statementsOf(client, route, table, step)) {
      try {
        await client.query(text);
      } catch (error) {
        throw refused(error, { route, table: tableLabel(table), step: `to ${step.kind} a column` }, node);
      }
    }
  }
  const { rowCount } = await client.query(
    'update tidelock.tables set fingerprint = $3, definition = $4 where route_id = $1 and source = $2',
    [routeId, stored.source, stored.fingerprint, JSON.stringify(stored.definition)],
  );
  // One that a person has accepted as new.
  if (rowCount !== 1) await registerTables(client, { name: route }, routeId, [stored]);
}

async function statementsOf(
  client: pg.Client,
  route: string,
  table: TableVersion,
  step: SchemaStep,
): Promise<readonly string[]> {
  const alter = `alter table ${quoteTable(table)}`;
  if (step.kind === 'drop') return [`${alter} drop column ${quoteIdentifier(step.column)}`];
  if (step.kind === 'rename')
    return [`${alter} rename column ${quoteIdentifier(step.from)} to ${quoteIdentifier(step.to)}`];
  const place = { route, table: tableLabel(table), column: step.column.name };
  const type = await typeText(client, step.column);
  if (type === null) throw fail(targetErrors.typeUnknown, { ...place, type: step.column.type });
  const name = quoteIdentifier(step.column.name);
  if (step.kind === 'add') {
    // The value is a literal: the rows that are there get it without being written anew.
    const value = step.existing === null ? '' : ` default ${quoteLiteral(step.existing)}`;
    return [`${alter} add column ${name} ${type}${value}`];
  }
  const [target] = await readTargetTables(client, [table]);
  const column = target?.columns.find((c) => c.name === step.column.name);
  if (column === undefined) throw fail(targetErrors.columnMissing, place);
  if (typeFits(step.column, column)) return [];
  // Only where every value that is there fits what it becomes; else the plan says what does not fit.
  return typeFits(column, step.column) ? [`${alter} alter column ${name} type ${type}`] : [];
}

/** As SQL writes it, with its modifier; null where the target does not have the type. */
async function typeText(client: pg.Client, { type, modifier }: Column): Promise<string | null> {
  const { rows } = await client.query<{ text: string }>(
    `select format_type(t.oid, $2) as text from pg_type t join pg_namespace n on n.oid = t.typnamespace
     where n.nspname || '.' || t.typname = $1`,
    [type, modifier],
  );
  return rows[0]?.text ?? null;
}

function refused(error: unknown, place: { route: string; table: string; step: string }, node: string): unknown {
  const state = sqlState(error);
  if (error instanceof TidelockError || state === null || !isPostgresError(error)) return error;
  // The connection, resources, deadlocks: as with rows, tried again.
  if (/^(08|57P|40|53|55P03|57014)/.test(state)) return error;
  if (state === '42501')
    return fail(nodeErrors.privilege, { node, message: `${place.step} of ${place.table}: ${error.message}` }, error);
  const message = state.startsWith('22') ? 'see the server log' : error.message;
  return fail(targetErrors.evolutionRefused, { ...place, sqlState: state, message }, error);
}
