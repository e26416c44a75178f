import type { Queryable } from './sessions.ts';

/**
 * A database of encoding SQL_ASCII holds any bytes. With a client that asks for UTF-8 the server itself would end the
 * session at the first that are none, without the table or the column: it is to send them as they are, and the reader
 * looks.
 */
export async function takeBytesAsStored(client: Queryable): Promise<void> {
  await client.query(`
    SELECT set_config('client_encoding', 'SQL_ASCII', false) WHERE current_setting('server_encoding') = 'SQL_ASCII'`);
}
