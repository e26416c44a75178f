import { randomUUID } from 'node:crypto';
import type { MysqlSession } from './connect.ts';
import { signalTable } from './signals.ts';

export const ownDatabase = signalTable.schema;

const qualified = `${signalTable.schema}.${signalTable.name}`;

/** What one is made with: Tidelock's database at a node, and the table of its signals. */
const statements = [
  `CREATE DATABASE IF NOT EXISTS ${signalTable.schema} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS ${qualified} (kind varchar(16) NOT NULL, id varchar(190) NOT NULL, content mediumtext NOT NULL,
     PRIMARY KEY (kind, id)) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
];

/** True where the table of signals is there: a source that was never started has none. */
export async function hasSignals(session: MysqlSession): Promise<boolean> {
  const [found] = await session.query(
    'SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [signalTable.schema, signalTable.name],
  );
  return found !== undefined;
}

/** Makes what is missing of it. A command would be logged, and so is only given where it is needed. */
export async function makeSignals(session: MysqlSession): Promise<void> {
  if (!(await hasSignals(session))) for (const statement of statements) await session.query(statement);
  if ((await readNodeId(session)) !== null) return;
  // Of two that come at once the first counts for both.
  await session.query(`INSERT IGNORE INTO ${qualified} VALUES ('node', 'node', ?)`, [
    JSON.stringify({ v: 1, node: randomUUID() }),
  ]);
}

/**
 * What a node is called in origin markers, whichever of its servers has it: a row that travels to all of them by the
 * server's own replication. Null before makeSignals().
 */
export async function readNodeId(session: MysqlSession): Promise<string | null> {
  if (!(await hasSignals(session))) return null;
  const [row] = await session.query(`SELECT content FROM ${qualified} WHERE kind = 'node' AND id = 'node'`);
  if (row === undefined) return null;
  const { node }: { readonly node?: unknown } = JSON.parse(row[0] ?? '{}');
  return typeof node === 'string' ? node : null;
}

/** Kind, id, content and once more the content: writes a signal over the one before it, in the transaction that is open. */
export const writeSignal = `INSERT INTO ${qualified} (kind, id, content) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE content = ?`;
