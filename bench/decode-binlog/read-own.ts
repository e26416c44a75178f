// Reads a binlog with the Collector that routes have, and takes every row at once.
import { MysqlCollector } from '../../connectors/mysql/source/mysql-collector.ts';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import { isRowChange } from '../../src/core/change.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { WorkMeter } from '../../src/core/work-meter.ts';
import { mysqlRoute } from '../../test/integration/mysql/binlog-reading.ts';
import { mysqlNodeAt } from '../../test/support/mysql.ts';
import type { BinlogRound, BinlogTask } from './task.ts';

async function read({ port, vendor, database, stored, start, last }: BinlogTask): Promise<BinlogRound> {
  const budget = new ByteBudget(32_000_000);
  const collector = new MysqlCollector({
    ...{ route: mysqlRoute({ node: mysqlNodeAt(() => port, vendor) }, database), stored, logger: silentLogger },
    ...{ cutOff: new Set<string>(), carried: null, budget, meter: new WorkMeter(), heartbeatMs: 600_000 },
    onIdentity: async () => {},
    onRetained: () => {},
  });
  const stop = new AbortController();
  const beganMs = performance.now();
  const used = process.cpuUsage();
  let found = 0;
  let isOver = false;
  for await (const parts of collector.stream({ position: start, lastCommit: null }, stop.signal)) {
    for (const part of parts) {
      found += part.rows;
      budget.release(part.bytes);
      const change = part.changes.at(-1);
      isOver ||= change !== undefined && isRowChange(change) && change.table.name === last;
    }
    if (!isOver) continue;
    const { user, system } = process.cpuUsage(used);
    const round = { ms: performance.now() - beganMs, cpuUs: user + system, systemUs: system, rows: found };
    stop.abort();
    return round;
  }
  throw new Error('the stream has ended before the last row');
}

process.once('message', async (task: BinlogTask) => {
  for (let reading = 0; reading < task.readings; reading++) process.send?.(await read(task));
  process.disconnect();
});
