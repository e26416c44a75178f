import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import { connectMysql, type MysqlHost, type MysqlSession } from '../connect.ts';
import { readInstance } from '../instance.ts';

/** The server that a stream reads. */
export interface StreamServer {
  readonly host: MysqlHost;
  /** See readInstance(): behind the address of a proxy, or a name, another one may be by now. */
  readonly instance: string;
}

/** Throws (retry) where another server answers: it may be ahead of the stream's, or behind. */
export async function connectStreamServer(node: NodeDefinition, server: StreamServer): Promise<MysqlSession> {
  const { host } = server;
  const session = await connectMysql(node, { host });
  try {
    if ((await readInstance(session)) === server.instance) return session;
    const message = `${host.host}:${host.port} is another server than the one that the stream reads`;
    throw fail(nodeErrors.interrupted, { node: node.name, sqlState: 'HY000', message });
  } catch (error) {
    session.close();
    throw error;
  }
}
