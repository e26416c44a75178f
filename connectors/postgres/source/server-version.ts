import type { Queryable } from './sessions.ts';

/** The oldest whose pgoutput carries logical messages, which markers and heartbeats are. */
export const oldestServer = { number: 140_000, text: '14' } as const;

export async function serverVersion(client: Queryable): Promise<{ readonly number: number; readonly text: string }> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int4 AS number, current_setting('server_version') AS text`,
  );
  return { number: Number(rows[0]?.number), text: String(rows[0]?.text) };
}

/**
 * A database of encoding SQL_ASCII holds any bytes. With a client that asks for UTF-8 the server itself would end the
 * session at the first that are none, without the table or the column: it is to send them as they are, and the reader
 * looks.
 */
export async function takeBytesAsStored(client: Queryable): Promise<void> {
  await client.query(`
    SELECT set_config('client_encoding', 'SQL_ASCII', false) WHERE current_setting('server_encoding') = 'SQL_ASCII'`);
}
