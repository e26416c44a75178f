import type { MysqlServer } from '../../test/support/mysql.ts';
import { childrenOf } from '../../test/support/process-tree.ts';
import { RouteFile } from '../../test/support/route.ts';
import { startMs } from '../pg-to-pg/contender.ts';
import { followed } from './workloads.ts';

/** One of those that follow the same source, each to a server of its own. */
export interface MysqlContender {
  readonly name: string;
  readonly target: MysqlServer;
  /** Resolves when it begins to follow: how soon the Supervisor looks for what is wanted is not measured. */
  enable(): Promise<void>;
  /** Resolves when it has let the source go. */
  disable(): Promise<void>;
  /** The processes that carry rows, where they are not the database's. */
  workers(): readonly number[];
}

/** One `tidelock run` as users have it. Resolves when all is copied and the route runs. */
export async function tidelock(
  source: MysqlServer,
  target: MysqlServer,
  ends: (end: () => Promise<unknown>) => void,
): Promise<MysqlContender> {
  const file = new RouteFile({ source, target, name: 'bench', route: `tables: ["${followed}.*"]` });
  ends(async () => file[Symbol.dispose]());
  const service = file.run();
  ends(() => service[Symbol.asyncDispose]());
  await service.state('running', startMs);
  const want = (state: string): Promise<unknown> =>
    target.query(`UPDATE tidelock.requests SET wanted = '${state}', request = request + 1`);
  return {
    name: 'tidelock',
    target,
    enable: async () => {
      await want('running');
      await service.state('starting', startMs);
    },
    disable: async () => {
      await want('stopped');
      await service.state('stopped', startMs);
    },
    workers: () => childrenOf(service.pid),
  };
}

/** MySQL's own replica with four workers, its default, and its defaults of durability. To be called before the source holds anything. */
export async function replica(source: MysqlServer, target: MysqlServer): Promise<MysqlContender> {
  await source.query("CREATE USER r@'127.0.0.1' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO r@'127.0.0.1'");
  await target.query(
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${source.port}, SOURCE_USER = 'r', SOURCE_PASSWORD = 'r',
       SOURCE_CONNECT_RETRY = 1, SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1; SET GLOBAL replica_parallel_workers = 4; START REPLICA`,
  );
  return {
    name: 'replica',
    target,
    enable: async () => void (await target.query('START REPLICA')),
    disable: async () => void (await target.query('STOP REPLICA')),
    workers: () => [],
  };
}
