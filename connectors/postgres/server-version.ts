import type pg from 'pg';

/** The oldest whose pgoutput carries logical messages, which markers and heartbeats are. */
export const oldestServer = { number: 140_000, text: 'PostgreSQL 14' } as const;

export async function serverVersion(
  client: Pick<pg.Client, 'query'>,
): Promise<{ readonly number: number; readonly text: string }> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int4 AS number, current_setting('server_version') AS text`,
  );
  return { number: Number(rows[0]?.number), text: String(rows[0]?.text) };
}
