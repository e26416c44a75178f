import { fork } from 'node:child_process';
import { once } from 'node:events';
import { heapFlags } from '../../src/supervisor/worker-process.ts';
import { endOf } from '../../test/integration/mysql/binlog-reading.ts';
import { startMysql } from '../../test/support/mysql.ts';
import { median } from '../measure.ts';
import { mysqlSettings } from '../mysql-to-mysql/mysql-contest.ts';
import { followed, type MysqlWorkload } from '../mysql-to-mysql/workloads.ts';
import type { BinlogRound, BinlogTask } from './task.ts';

export interface DecodeBinlogOptions {
  readonly rounds: number;
  readonly scale: number;
  onRound(line: object): void;
}

/** How many times zongji's rate the engine's has to be, and should be. */
const must = 3;
const aim = 5;

const last = 'last_row';

const readers = ['own', 'zongji'] as const;
type Reader = (typeof readers)[number];

/** By each process: the first time it starts cold and compiles, the others are what counts, as a worker has been at work for a while. */
const readings = 4;

/** A workload's binlog, read from the same server by the engine's Collector and by zongji, each in a process of its own, taking turns to be first. */
export async function decodeBinlog(
  workload: MysqlWorkload,
  { rounds, scale, onRound }: DecodeBinlogOptions,
): Promise<object> {
  await using server = await startMysql({ vendor: 'mysql', settings: { ...mysqlSettings, 'sync-binlog': '0' } });
  await server.query(
    `CREATE DATABASE ${followed}; USE ${followed}; ${workload.tables} CREATE TABLE ${last} (id int PRIMARY KEY)`,
  );
  const connection = await server.connect({ database: followed, multipleStatements: false });
  for (const statement of workload.prepare(scale)) await connection.query(statement);
  const { position: start, stored } = await endOf(server);
  const [[place]] = (await connection.query('SHOW BINARY LOG STATUS')) as unknown as [
    [{ readonly File: string; readonly Position: string }],
  ];
  await connection.end();
  await workload.write(server, scale);
  await server.query(`INSERT INTO ${followed}.${last} VALUES (1)`);
  const task: BinlogTask = {
    ...{ port: server.port, vendor: 'mysql', database: followed, stored, start, last },
    ...{ file: place.File, offset: Number(place.Position), readings },
  };
  let rows = 0;
  const found: Readonly<Record<Reader, BinlogRound[]>> = { own: [], zongji: [] };
  const cold: Readonly<Record<Reader, BinlogRound[]>> = { own: [], zongji: [] };
  for (let round = 1; round <= rounds; round++)
    for (const reader of round % 2 === 0 ? readers.toReversed() : readers) {
      for (const [reading, result] of (await read(reader, task)).entries()) {
        // An update that changes nothing is in no binlog: how many there are is told by who reads first.
        if (rows === 0) rows = result.rows;
        if (result.rows !== rows) throw new Error(`${reader} has found ${result.rows} of ${rows} rows`);
        (reading === 0 ? cold : found)[reader].push(result);
        onRound({ workload: workload.name, round, reader, reading, ...result });
      }
    }
  const rate = (reader: Reader): number => median(found[reader].map(({ ms }) => (rows * 1_000) / ms));
  const cpu = (rounds: Readonly<Record<Reader, BinlogRound[]>>, reader: Reader): number =>
    median(rounds[reader].map(({ cpuUs }) => cpuUs / rows));
  // Of the processor's time: the time that passes is others' work, too.
  const ratio = cpu(found, 'zongji') / cpu(found, 'own');
  return {
    ...{ kind: 'result', workload: workload.name, rows, must, aim, ratio, passed: ratio >= must },
    ownCpuUsPerRow: cpu(found, 'own'),
    zongjiCpuUsPerRow: cpu(found, 'zongji'),
    ownRowsPerSecond: Math.round(rate('own')),
    zongjiRowsPerSecond: Math.round(rate('zongji')),
    coldRatio: cpu(cold, 'zongji') / cpu(cold, 'own'),
    ownColdCpuUsPerRow: cpu(cold, 'own'),
    zongjiColdCpuUsPerRow: cpu(cold, 'zongji'),
  };
}

async function read(reader: Reader, task: BinlogTask): Promise<readonly BinlogRound[]> {
  const child = fork(new URL(`./read-${reader}.ts`, import.meta.url), {
    execArgv: reader === 'own' ? [...heapFlags] : [],
  });
  const results: BinlogRound[] = [];
  let failed: string | null = null;
  child.on('message', (answer: BinlogRound | { readonly error: string }) => {
    if ('error' in answer) failed = answer.error;
    else results.push(answer);
  });
  child.send(task);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (failed !== null) throw new Error(`${reader}: ${failed}`);
  if (results.length !== task.readings) throw new Error(`${reader} ended with ${code}`);
  return results;
}
