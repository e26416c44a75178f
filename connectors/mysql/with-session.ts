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
