import type { TestDatabase } from '../../test/support/postgres.ts';

/** Of each table, whatever the order of its rows: how many, and the sum of their hashes. */
type Contents = ReadonlyMap<string, string>;

export async function contents(database: TestDatabase, schemas: readonly string[]): Promise<Contents> {
  return await database.session(async (client) => {
    // Text of floats and times is the same at both sides then.
    await client.query(`SET extra_float_digits = 1; SET timezone = 'UTC'; SET datestyle = 'ISO'`);
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1`,
      [schemas],
    );
    const found = new Map<string, string>();
    for (const { name } of tables) {
      const { rows } = await client.query<{ rows: string; hash: string }>(
        `SELECT count(*)::text AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS hash FROM ${name} t`,
      );
      found.set(name, `${rows[0]?.rows} rows, ${rows[0]?.hash}`);
    }
    return found;
  });
}

/** Names of the tables that are not the same. */
export function differences(source: Contents, target: Contents): string[] {
  return [...source].filter(([name, content]) => target.get(name) !== content).map(([name]) => name);
}
