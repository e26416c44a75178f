import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { pause } from '../../../src/core/pause.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import type { SchemaStatement } from '../../../src/core/table-schema.ts';
import type { CarryOutOptions } from '../../../src/core/target.ts';
import { classifyMysqlError, isMysqlError } from '../classify-error.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';

/** Behind a lock that is waited for, readers and writers of the table wait, too: it is let go and asked for again. */
const lockSeconds = 2;
const lockAttempts = 30;
const betweenLocksMs = 500;

/** Strict, so that no index is cut and no type made another one; dates as a source may have them. */
const sqlMode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES';

/**
 * Each statement by itself: the server commits with each, so that one that was carried out stays, and one that is refused keeps back only what the server
 * finds missing without it. An abort cancels the one that runs.
 */
export async function carryOut(
  node: NodeDefinition,
  statements: readonly SchemaStatement[],
  { signal, onBegin, onRefused }: CarryOutOptions,
): Promise<void> {
  if (statements.length === 0) return;
  const session = await connectMysql(node);
  const cancel = (): void => void cancelOn(session).catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  try {
    await session.query(
      `SET SESSION sql_mode = '${sqlMode}', lock_wait_timeout = ${lockSeconds}, foreign_key_checks = 1, unique_checks = 1`,
    );
    let attempts = lockAttempts;
    for (const statement of statements) {
      signal.throwIfAborted();
      onBegin(statement);
      try {
        await runOne(session, statement, { signal, attempts });
      } catch (error) {
        if (!(error instanceof TidelockError)) throw error;
        onRefused(statement, error);
        // Whoever holds that lock may hold more: a minute is not waited again for each.
        if (isMysqlError(error.cause) && comesAgain.has(error.cause.errno)) attempts = 1;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw classifyMysqlError(error, node.name);
  } finally {
    signal.removeEventListener('abort', cancel);
    session.close();
  }
}

/** ER_LOCK_WAIT_TIMEOUT, of a table's definition, too; ER_LOCK_DEADLOCK. */
const comesAgain: ReadonlySet<number> = new Set([1205, 1213]);
/** Of a value that is in the table: the server's words quote it. */
const mayQuoteValues = /^(?:22|23|45)/;

async function runOne(
  session: MysqlSession,
  { what, text }: SchemaStatement,
  { signal, attempts }: { readonly signal: AbortSignal; readonly attempts: number },
): Promise<void> {
  const { name: node } = session.node;
  for (let attempt = 1; ; attempt++) {
    try {
      await session.batch([text]);
      return;
    } catch (error) {
      if (!isMysqlError(error)) throw error;
      const { errno, sqlState } = error;
      const isLost = classifyMysqlError(error, node).recovery === 'retry';
      if (isLost && !comesAgain.has(errno)) throw error;
      if (!comesAgain.has(errno) || attempt >= attempts) {
        const message = mayQuoteValues.test(sqlState)
          ? `error ${errno}; the server's text is left out since it may hold row values`
          : `error ${errno}: ${error.message}`;
        throw fail(targetErrors.schemaRefused, { node, what, sqlState, message }, error);
      }
    }
    await pause(betweenLocksMs, signal);
    signal.throwIfAborted();
  }
}

/** On a session of its own, at the same server. */
async function cancelOn({ node, host, connection }: MysqlSession): Promise<void> {
  const session = await connectMysql(node, { host });
  try {
    await session.query(`KILL QUERY ${Number(connection.threadId)}`);
  } finally {
    session.close();
  }
}
