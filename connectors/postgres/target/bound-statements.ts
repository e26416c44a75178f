import type pg from 'pg';

/** What a prepared statement and its plan take at the server is some 30 kB: a route of thousands of tables would hold hundreds of MB. */
export const mostStatements = 1_000;

/** The driver's own record of what it has prepared; its types do not tell of it. */
interface Preparing {
  parsedStatements: Record<string, string>;
}

export function isBounded(client: pg.Client, most: number): boolean {
  const connection = client.connection as unknown as Preparing;
  return Object.keys(connection.parsedStatements).length <= most;
}

/** Lets all prepared statements go where there are more than `most`: those that are still in use are prepared again. While none is on its way. */
export async function boundStatements(client: pg.Client, most: number): Promise<void> {
  if (isBounded(client, most)) return;
  await client.query('deallocate all');
  const connection = client.connection as unknown as Preparing;
  connection.parsedStatements = {};
}
