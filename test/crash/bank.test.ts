import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BankAuditor, BankWorkload, bankSchema, openBank } from '../support/bank.ts';
import { contents } from '../support/compare.ts';
import { startPostgres } from '../support/postgres.ts';
import { RouteFile } from '../support/route.ts';
import { randomNumbers, seeds } from '../support/seed.ts';

/** How long a soak goes on; 0 for the short run of `npm test`. */
const soakMs = Number(process.env.TIDELOCK_SOAK_MINUTES ?? 0) * 60_000;

/** Less tells nothing. */
const shortestRoundMs = 20_000;

test.for(seeds())(
  'under random kills every reader sees right books, and every transfer arrives once, seed %i',
  { timeout: 180_000 + soakMs },
  async (seed) => {
    if (soakMs === 0) {
      await bankUnderKills(seed, 8, Number.POSITIVE_INFINITY);
      return;
    }
    const endMs = performance.now() + soakMs;
    // It begins anew now and then, so that the books stay short enough to be read at every moment.
    for (let round = 0; round === 0 || performance.now() < endMs - shortestRoundMs; round++) {
      const line = await bankUnderKills(seed + round * 1_000, 50, endMs);
      const leftMinutes = Math.max(0, (endMs - performance.now()) / 60_000);
      process.stdout.write(`${line}, equal; ${leftMinutes.toFixed(1)} minutes left\n`);
    }
  },
);

/** As many kills as told, and none later than `endMs`. Says what it has done. */
async function bankUnderKills(seed: number, kills: number, endMs: number): Promise<string> {
  const random = randomNumbers(seed);
  await using here = await startPostgres();
  await using there = await startPostgres();
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  await Promise.all([source.query(bankSchema), target.query(bankSchema)]);
  await openBank(source);
  // Small groups, so that several of them wait in what a kill leaves behind.
  const lanes = seed % 2 === 0 ? '\napply: { groupRows: 50, lanes: 4 }' : '';
  using file = new RouteFile({ source, target, route: `tables: ["public.*"]${lanes}` });
  let route = file.run();
  const killed: string[] = [];
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
  let bank: BankWorkload | null = null;
  let auditor: BankAuditor | null = null;
  try {
    await route.state('running');
    auditor = new BankAuditor(target);
    bank = new BankWorkload({ source, writers: 4, seed, pauseMs: 2 });
    for (let i = 0; i < kills && performance.now() < endMs; i++) {
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
    const happened = `seed ${seed}, killed ${killed.join()}`;
    expect(auditor.faults, happened).toEqual([]);
    expect(auditor.reads).toBeGreaterThan(100);
    expect(right.transfer?.length, happened).toBe(transfers);
    expect(transfers).toBeGreaterThan(100);
    expect(replicated, happened).toEqual(right);
    return `seed ${seed}: ${killed.length} kills, ${transfers} transfers, ${auditor.reads} reads`;
  } finally {
    await bank?.stop();
    await auditor?.stop();
    await route[Symbol.asyncDispose]();
  }
}
