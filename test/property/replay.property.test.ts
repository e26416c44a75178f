import { beforeAll, describe, expect, test } from 'vitest';
import { contents } from '../support/compare.ts';
import { LedgerAuditor, ledgerSchema, signLedger } from '../support/ledger.ts';
import { RouteFile } from '../support/route.ts';
import { randomNumbers, seeds } from '../support/seed.ts';
import { randomTransaction, shapesSchema, shapeTables } from '../support/shapes.ts';
import { isThorough } from '../support/thorough.ts';
import { twoServers } from '../support/two-servers.ts';

const servers = twoServers();

beforeAll(async () => {
  await servers.there.database('postgres').query('CREATE ROLE applier LOGIN');
});

const transactions = isThorough ? 300 : 150;

describe.for(seeds())('seed %i', (seed) => {
  // Without the privilege for the replica role foreign keys are checked at every statement of the target.
  test.for(['postgres', 'applier'])(
    'random transactions, applied as %s, are the source at a commit at every moment',
    {
      timeout: 120_000,
    },
    async (user) => {
      const random = randomNumbers(seed * 7 + user.length);
      const { source, target } = await servers.pair();
      for (const db of [source, target]) await db.query(shapesSchema + ledgerSchema);
      for (const table of [...shapeTables, 'ledger']) await target.query(`ALTER TABLE ${table} OWNER TO applier`);
      await target.query(`GRANT CREATE ON DATABASE ${target.name} TO applier`);
      const groupRows = random() < 0.5 ? 40 : 5000;
      // One of the two users each time.
      const lanes = (seed + user.length) % 2 === 0 ? 1 : 4;
      const limits = `groupRows: ${groupRows}, memory: 8MB, lanes: ${lanes}`;
      using file = new RouteFile({
        source,
        target,
        targetUser: user,
        route: `tables: ["public.*"]\napply: { ${limits} }`,
      });
      await using route = file.run();
      await route.state('running');
      const worker = await route.workerPid();
      const auditor = new LedgerAuditor(target, shapeTables);
      const client = await source.client();
      try {
        let seq = 0;
        for (let i = 0; i < transactions; i++) {
          // Frozen now and then, so that a backlog is applied in groups.
          if (i % 50 === 10) process.kill(worker, 'SIGSTOP');
          if (i % 50 === 45) process.kill(worker, 'SIGCONT');
          if (await randomTransaction(client, random, signLedger(seq + 1, shapeTables))) seq++;
        }
        await route.caughtUp();
        await auditor.stop();
        expect(seq).toBeGreaterThan(transactions / 3);
        expect(auditor.faults).toEqual([]);
        const tables = [...shapeTables, 'ledger'];
        expect(await contents(target, tables)).toEqual(await contents(source, tables));
        expect(auditor.reads).toBeGreaterThan(20);
      } finally {
        await client.end();
        await auditor.stop();
      }
    },
  );
});
