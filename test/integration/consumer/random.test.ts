import { describe, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { randomNumbers, seeds } from '../../support/seed.ts';
import { randomTransaction, shapesSchema, shapeTables } from '../../support/shapes.ts';
import { twoServers } from '../../support/two-servers.ts';
import { cut, stage } from './harness.ts';

const servers = twoServers();

const apply = { groupTimeMs: 0, onError: 'halt' as const, maxRowBytes: 1e8, memoryBytes: 1e8 };
const signal = new AbortController().signal;

describe.for(seeds())('seed %i', (seed) => {
  // Constraints that only the source can defer have to end right, too.
  test.for(['as at the source', 'not deferrable'])(
    'random transactions in random pieces and groups, target constraints %s',
    { timeout: 120_000 },
    async (constraints) => {
      const random = randomNumbers(seed * 13 + constraints.length);
      const targetSchema =
        constraints === 'not deferrable'
          ? shapesSchema.replaceAll(/ DEFERRABLE INITIALLY (DEFERRED|IMMEDIATE)/g, '')
          : shapesSchema;
      const groupRows = 1 + Math.floor(random() * 30);
      // One of the two each time.
      const lanes = (seed + constraints.length) % 2 === 0 ? 1 : 4;
      await using on = await stage(servers.here, servers.there, {
        sourceSchema: shapesSchema,
        targetSchema,
        route: { apply: { ...apply, groupRows, lanes } },
      });
      const consumer = await on.consumer();
      const client = await on.source.client();
      try {
        for (let round = 0; round < 40; round++) {
          for (let count = 1 + random() * 8; count > 0; count--) await randomTransaction(client, random, 'SELECT');
          const parts = cut(await on.capture(), 1 + Math.floor(random() * 40));
          // Calls that end in the middle of a transaction leave it open.
          for (let at = 0; at < parts.length; ) {
            const next = at + 1 + Math.floor(random() * 10);
            await consumer.apply(parts.slice(at, next), signal);
            at = next;
          }
          expect(await contents(on.target, shapeTables)).toEqual(await contents(on.source, shapeTables));
        }
        if (constraints === 'not deferrable') expect(consumer.counts().replays).toBeGreaterThan(0);
        expect(consumer.counts().collisions).toBe(0);
      } finally {
        await client.end();
      }
    },
  );
});
