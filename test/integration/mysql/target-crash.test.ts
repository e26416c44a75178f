import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Consumer } from '../../../src/core/consumer.ts';
import { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { mysqlVendors } from '../../support/mysql-binaries.ts';
import { randomNumbers, seed } from '../../support/seed.ts';
import { cut } from '../consumer/harness.ts';
import { type MysqlStage, mysqlStage } from './stage.ts';

let source: MysqlServer;
beforeAll(async () => {
  source = await startMysql({ vendor: 'mysql' });
}, 90_000);
afterAll(() => source[Symbol.asyncDispose]());

const accounts = 20;
const crashes = 6;

/** Goes on from the stored checkpoint with what is behind it. */
async function resume(stage: MysqlStage): Promise<Consumer> {
  await stage.reopen();
  return await stage.consumer();
}

test.each(mysqlVendors)(
  'kill -9 of %s at any moment loses no transfer and applies none twice',
  async (vendor) => {
    await using target = await startMysql({ vendor, settings: { 'innodb-flush-log-at-trx-commit': '1' } });
    await using stage = await mysqlStage(source, target, {
      schema: `CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL); CREATE TABLE ledger (id int, amount int)`,
    });
    const random = randomNumbers(seed);
    const below = (count: number): number => Math.floor(random() * count);
    await stage.write(
      `INSERT INTO accounts VALUES ${Array.from({ length: accounts }, (_, id) => `(${id}, 100)`).join(', ')}`,
    );
    const transfers = Array.from({ length: 150 }, (_, n) => {
      const [from, to, amount] = [below(accounts), below(accounts), 1 + below(9)];
      return `BEGIN; UPDATE accounts SET balance = balance - ${amount} WHERE id = ${from}; UPDATE accounts SET balance = balance + ${amount} WHERE id = ${to}; INSERT INTO ledger VALUES (${n}, ${amount}); COMMIT;`;
    });
    await stage.write(transfers.join(' '));
    const parts = await stage.capture();
    let kills = 0;
    for (let consumer = await resume(stage); ; consumer = await resume(stage)) {
      const { position } = await stage.checkpoint();
      const done = parts.findIndex(({ commit }) => commit?.position === position);
      const rest = cut(parts.slice(done + 1), 2);
      const killed = kills < crashes ? 5 + below(60) : Number.POSITIVE_INFINITY;
      let applied = 0;
      try {
        for (const part of rest) {
          if (++applied === killed) {
            kills++;
            // While the statements of the next part, or its COMMIT, are on their way.
            const dying = target.kill9();
            await consumer.apply([part], new AbortController().signal).finally(() => dying);
          } else await consumer.apply([part], new AbortController().signal);
        }
        if (killed > rest.length) break;
      } catch (error) {
        expect(error).toBeInstanceOf(TidelockError);
        expect((error as TidelockError).recovery).toBe('retry');
      }
      consumer.abort();
      await target.start();
      const [sum] = await target.query(`SELECT SUM(balance) AS total FROM ${stage.target}.accounts`);
      if (sum?.total !== null) expect(sum?.total).toBe(String(accounts * 100));
    }
    expect(kills).toBeGreaterThan(2);
    for (const table of ['accounts', 'ledger']) {
      const { source: here, target: there } = await stage.rows(table);
      expect(there).toEqual(here);
    }
  },
  110_000,
);
