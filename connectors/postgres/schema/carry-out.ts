import type pg from 'pg';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { pause } from '../../../src/core/pause.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import type { SchemaStatement } from '../../../src/core/table-schema.ts';
import type { CarryOutOptions } from '../../../src/core/target.ts';
import { classifyPostgresError, isPostgresError, sqlState } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';

/** Behind a lock that is waited for, readers and writers of the table wait, too: it is let go and asked for again. */
const lockMs = 2_000;
const lockAttempts = 30;
const betweenLocksMs = 500;

/**
 * Each statement by itself, so that one that was carried out stays, and one that is refused keeps back only what the server finds missing without it. An
 * abort cancels the one that runs.
 */
export async function carryOut(
  node: NodeDefinition,
  statements: readonly SchemaStatement[],
  { signal, onBegin, onRefused }: CarryOutOptions,
): Promise<void> {
  const client = await connectPostgres(node, { applicationName: 'tidelock schema' });
  const cancel = (): void => void cancelOn(node, client).catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  try {
    let attempts = lockAttempts;
    for (const statement of statements) {
      signal.throwIfAborted();
      onBegin(statement);
      try {
        await runOne(client, statement, { node, signal, attempts });
      } catch (error) {
        if (!(error instanceof TidelockError)) throw error;
        onRefused(statement, error);
        // Whoever holds that lock may hold more: a minute is not waited again for each.
        if (comesAgain.has(sqlState(error.cause) ?? '')) attempts = 1;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw classifyPostgresError(error, node.name);
  } finally {
    signal.removeEventListener('abort', cancel);
    await client.end().catch(() => {});
  }
}

/** lock_not_available, deadlock_detected. */
const comesAgain: ReadonlySet<string> = new Set(['55P03', '40P01']);

async function runOne(
  client: pg.Client,
  { what, text }: SchemaStatement,
  {
    node,
    signal,
    attempts,
  }: { readonly node: NodeDefinition; readonly signal: AbortSignal; readonly attempts: number },
): Promise<void> {
  // Concurrent work waits for transactions, not for its turn, and holds nobody up: cut short it would leave remains.
  const waits = /^(CREATE( UNIQUE)?|DROP) INDEX CONCURRENTLY /.test(text);
  await client.query(`set lock_timeout = ${waits ? 0 : lockMs}`);
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(text);
      return;
    } catch (error) {
      if (!isPostgresError(error) || /^(08|57|53)/.test(error.code)) throw error;
      // A foreign key locks two tables, and a route that writes both may have the other one: whoever is chosen asks again.
      const isLocked = comesAgain.has(error.code) && !(error.code === '40P01' && waits);
      if (!isLocked || attempt >= attempts)
        throw fail(
          targetErrors.schemaRefused,
          { node: node.name, what, sqlState: error.code, message: error.message },
          error,
        );
    }
    await pause(betweenLocksMs, signal);
    signal.throwIfAborted();
  }
}

async function cancelOn(node: NodeDefinition, running: pg.Client): Promise<void> {
  const { processID } = running as pg.Client & { readonly processID: number };
  const client = await connectPostgres(node, { applicationName: 'tidelock schema' });
  try {
    await client.query('select pg_cancel_backend($1)', [processID]);
  } finally {
    await client.end().catch(() => {});
  }
}
