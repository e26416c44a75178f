import type pg from 'pg';

/**
 * A running server and a database of it. A physical copy has its original's system identifier, so the time at which the
 * postmaster was started, in microseconds, is part of it; two addresses of one server still give the same text.
 */
export async function readInstance(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ instance: string }>(
    `SELECT system_identifier || '/' || extract(epoch FROM pg_postmaster_start_time()) || '/' || current_database() AS instance
     FROM pg_control_system()`,
  );
  return String(rows[0]?.instance);
}
