import type { MysqlSession } from './connect.ts';
import { readServerFacts } from './server-facts.ts';

/** Tells the running server from every other, also from one that was copied with its files. */
export async function readInstance(session: MysqlSession): Promise<string> {
  const { vendor, uuid } = await readServerFacts(session);
  const [row] = await session.query('SELECT @@hostname, @@port');
  return `${vendor} ${uuid} ${row?.[0]}:${row?.[1]}`;
}
