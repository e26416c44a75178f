import { asTidelockError } from '../../../src/core/errors/defect.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import type { QueueWatch, SourceStatus } from '../../../src/core/source.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';
import { readServerFacts } from '../server-facts.ts';
import { formatPosition } from './position/binlog-position.ts';
import { readEnd } from './start-check.ts';

/** A binlog is there for all who read it, and is kept by time: nothing of it is a route's own. */
export async function readStatus(session: MysqlSession): Promise<SourceStatus> {
  const position = formatPosition(await readEnd(session, await readServerFacts(session)));
  return { position, retainedBytes: null, queue: 'idle', queuePosition: position };
}

/** One look for all routes of a source, on one session. */
export function mysqlQueueWatch(node: NodeDefinition, { everyMs }: { readonly everyMs: number }): QueueWatch {
  let session: MysqlSession | null = null;
  let last: { readonly atMs: number; readonly status: Promise<SourceStatus> } | null = null;
  let isClosed = false;
  const forget = (): void => {
    session?.close();
    session = null;
  };
  const ask = async (): Promise<SourceStatus> => {
    try {
      session ??= await connectMysql(node);
      if (isClosed) throw new TypeError('closed');
      return await readStatus(session);
    } catch (error) {
      forget();
      throw asTidelockError(error);
    }
  };
  return {
    status: (_route, { now } = { now: false }) => {
      const atMs = performance.now();
      if (last !== null && atMs - last.atMs < (now ? 0 : everyMs)) return last.status;
      const before = last?.status.catch(() => {}) ?? Promise.resolve();
      const asked = { atMs, status: before.then(ask) };
      last = asked;
      // A source that could not be asked is asked again at once.
      asked.status.catch(() => {
        if (last === asked) last = null;
      });
      return asked.status;
    },
    close: async () => {
      isClosed = true;
      await last?.status.catch(() => {});
      forget();
    },
  };
}
