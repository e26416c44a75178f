import type { NodeDefinition } from '../../src/core/route.ts';
import { classifyMysqlError } from './classify-error.ts';
import { connectMysql, type MysqlSession } from './connect.ts';

/** A session for one piece of work. */
export async function withSession<T>(node: NodeDefinition, use: (session: MysqlSession) => Promise<T>): Promise<T> {
  const session = await connectMysql(node);
  try {
    return await use(session);
  } catch (error) {
    throw classifyMysqlError(error, node.name);
  } finally {
    session.close();
  }
}

/** Catalogue queries take a second where there are thousands of tables. */
const answerMs = 20_000;

/** Ends the session where `run`, which works on it, takes too long: a server that froze, or a network that lost a message, would else be waited for without an end. */
export async function answeredInTime<T>(session: MysqlSession, run: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => session.close(), answerMs);
  try {
    return await run();
  } finally {
    clearTimeout(timer);
  }
}
