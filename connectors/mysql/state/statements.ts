import type { MysqlSession } from '../connect.ts';

/** Milliseconds since 1970 by the server's clock: of this moment, not of the statement's beginning, which may have waited for a lock. */
export const nowMs = 'cast(unix_timestamp(sysdate(6)) * 1000 as signed)';

/** Statements that count together. Where the connection is gone there is nothing to roll back. */
export async function inTransaction<T>(session: MysqlSession, run: () => Promise<T>): Promise<T> {
  await session.query('start transaction');
  try {
    const result = await run();
    await session.query('commit');
    return result;
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

/** Of a session on which somebody else may hold what is wanted: ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK. */
export const lockErrors: ReadonlySet<number> = new Set([1205, 1213]);

/** `?, ?, ?` for so many values; what no row has where there are none. */
export function places(values: readonly unknown[]): string {
  return values.length === 0 ? 'null' : values.map(() => '?').join(', ');
}

export function parsedJson<T>(text: string | null | undefined): T | null {
  return text === null || text === undefined ? null : (JSON.parse(text) as T);
}
