import type { TestDatabase } from './postgres.ts';

/** All rows of some tables as sorted text, by nothing but the server's own output. */
export async function contents(database: TestDatabase, tables: readonly string[]): Promise<Record<string, string[]>> {
  const client = await database.client();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const found: Record<string, string[]> = {};
    for (const table of tables) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t ORDER BY 1`);
      found[table] = rows.map(({ row }) => row);
    }
    return found;
  } finally {
    await client.end();
  }
}
