import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BankAuditor, BankWorkload, bankSchema, openBank } from '../support/bank.ts';
import { contents } from '../support/compare.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { RouteFile } from '../support/route.ts';
import { randomNumbers, seeds } from '../support/seed.ts';

let here: PostgresServer;
let there: PostgresServer;

beforeAll(async () => {
  [here, there] = await Promise.all([startPostgres(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([here, there].map((server) => server[Symbol.asyncDispose]()));
});

/** How long a soak goes on; 0 for the short run of `npm test`. */
const soakMs = Number(process.env.TIDELOCK_SOAK_MINUTES ?? 0) * 60_000;
const kills = 8;

describe.for(seeds())('seed %i', (seed) => {
  test('under random kills every reader sees right books, and every transfer arrives once', {
    timeout: 180_000 + soakMs,
  }, async () => {
    const random = randomNumbers(seed);
    const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
    await Promise.all([source.query(bankSchema), target.query(bankSchema)]);
    await openBank(source);
    using file = new RouteFile({ source, target });
    let route = file.run();
    await route.state('running');
    const auditor = new BankAuditor(target);
    const bank = new BankWorkload({ source, writers: 4, seed, pauseMs: 2 });
    const victims = {
      worker: async () => process.kill(await route.workerPid(), 'SIGKILL'),
      service: async () => {
        await route.kill9();
        route = file.run();
      },
      source: async () => {
        await here.kill9();
        await here.start();
      },
      target: async () => {
        await there.kill9();
        await there.start();
      },
    };
    const names = Object.keys(victims) as (keyof typeof victims)[];
    const killed: string[] = [];
    const until = performance.now() + soakMs;
    try {
      for (let i = 0; i < kills || performance.now() < until; i++) {
        await delay(200 + random() * 1_500);
        const victim = names[i < names.length ? i : Math.floor(random() * names.length)] ?? 'worker';
        killed.push(victim);
        await victims[victim]();
      }
      const transfers = await bank.stop();
      await route.caughtUp(60_000);
      await auditor.stop();
      const tables = ['account', 'transfer', 'ticket'];
      const [right, replicated] = await Promise.all([contents(source, tables), contents(target, tables)]);
      expect(auditor.faults, killed.join()).toEqual([]);
      expect(auditor.reads).toBeGreaterThan(100);
      expect(right.transfer?.length).toBe(transfers);
      expect(transfers).toBeGreaterThan(100);
      expect(replicated, killed.join()).toEqual(right);
    } finally {
      await bank.stop();
      await auditor.stop();
      await route[Symbol.asyncDispose]();
    }
  });
});
