import { expect, test } from 'vitest';
import { connectMysql } from '../../../connectors/mysql/connect.ts';
import { mysqlSource } from '../../../connectors/mysql/source/mysql-source.ts';
import type { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { mysqlVendors } from '../../support/mysql-binaries.ts';
import { until } from '../../support/until.ts';
import { BinlogReading, endOf, mysqlRoute } from './binlog-reading.ts';

/** `replica` follows `primary` by the server's own replication, from its first transaction on. */
async function follow(primary: MysqlServer, replica: MysqlServer): Promise<void> {
  await primary.query("CREATE USER r@'127.0.0.1' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO r@'127.0.0.1'");
  const where = `_HOST = '127.0.0.1', #_PORT = ${primary.port}, #_USER = 'r', #_PASSWORD = 'r', #_CONNECT_RETRY = 1`;
  await replica.query(
    replica.vendor === 'mysql'
      ? `CHANGE REPLICATION SOURCE TO SOURCE${where.replaceAll('#', 'SOURCE')}, SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1; START REPLICA`
      : `CHANGE MASTER TO MASTER${where.replaceAll('#', 'MASTER')}, MASTER_USE_GTID = slave_pos; START SLAVE`,
  );
  await replica.query('SET GLOBAL read_only = 1');
}

function nodeOf(servers: readonly MysqlServer[]): NodeDefinition {
  const [first] = servers;
  if (first === undefined) throw new RangeError('no server');
  const settings = first.node.connection();
  const hosts = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  return { ...first.node, connection: () => ({ ...settings, hosts }) };
}

test.each(mysqlVendors)('a route goes on at the server that takes over, by GTIDs: %s', async (vendor) => {
  await using primary = await startMysql({ vendor });
  await using replica = await startMysql({ vendor });
  await follow(primary, replica);
  await primary.query('CREATE DATABASE d; CREATE TABLE d.t (id int PRIMARY KEY, v int)');
  const node = nodeOf([replica, primary]);
  const route = mysqlRoute({ node }, 'd');
  const source = mysqlSource({ route, logger: silentLogger });
  const snapshot = await source.createQueue(AbortSignal.timeout(60_000), async () => {});
  await snapshot.close();
  const stored = snapshot.source;
  // The one that takes no writes is passed over.
  expect((await connectMysql(node).then((session) => session.connection.config.port)) as number).toBe(primary.port);
  let start: BinlogReading['checkpoint'] = { position: snapshot.position, lastCommit: null };
  {
    await using reading = new BinlogReading({ route, start, stored });
    await primary.query('INSERT INTO d.t VALUES (1, 1); INSERT INTO d.t VALUES (2, 2)');
    await reading.reached((await endOf(primary)).position);
    expect(reading.rows).toEqual([
      ['1', '1'],
      ['2', '2'],
    ]);
    start = reading.checkpoint;
  }
  await primary.query('INSERT INTO d.t VALUES (3, 3)');
  await until(
    'the replica has it',
    async () => (await replica.query('SELECT 1 FROM d.t WHERE id = 3').catch(() => [])).length > 0,
  );
  await primary.kill9();
  await expect(source.mark()).rejects.toMatchObject({ recovery: 'retry' });
  await replica.query(
    vendor === 'mysql'
      ? 'STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = 0'
      : 'STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 0',
  );
  await replica.query('INSERT INTO d.t VALUES (4, 4)');
  await using reading = new BinlogReading({ route, start, stored });
  const marked = await source.mark();
  await reading.reached(marked);
  expect(reading.rows).toEqual([
    ['3', '3'],
    ['4', '4'],
  ]);
  // One that has none of it is not taken for the source.
  await using stranger = await startMysql({ vendor });
  await stranger.query('CREATE DATABASE d');
  await using lost = new BinlogReading({ route: mysqlRoute(stranger, 'd'), start: reading.checkpoint, stored });
  expect(((await lost.failure()) as TidelockError).code).toBe('TL-3302');
});
