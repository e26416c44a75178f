import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { rentalScenario } from '../../src/demo/rental/rental-scenario.ts';
import { runDemo } from '../../src/demo/run-demo.ts';

test('the sample database is migrated under load, and of all rows only the one that was changed behind the engine differs', {
  timeout: 240_000,
}, async () => {
  const out = new PassThrough();
  const told = text(out);
  const exitCode = await runDemo({
    scenario: rentalScenario(2_000),
    seconds: 3,
    keep: false,
    json: true,
    signal: new AbortController().signal,
    out: out as unknown as NodeJS.WriteStream,
    beforeCompare: async (target) => {
      await target.query("UPDATE rental.film SET features = features || ' ' WHERE id = 1");
    },
  });
  out.end();
  const { tables, bank } = JSON.parse(await told) as {
    tables: { name: string; rows: number; equal: number; missing: number; extra: number; different: number }[];
    bank: { reads: number; wrong: number };
  };
  expect(exitCode).toBe(1);
  expect(bank).toMatchObject({ wrong: 0 });
  expect(tables).toHaveLength(20);
  for (const { name, rows, equal, missing, extra, different } of tables) {
    const changed = name === 'rental.film' ? 1 : 0;
    expect({ name, equal: equal + different, missing, extra, different }).toEqual({
      ...{ name, equal: rows, missing: 0, extra: 0, different: changed },
    });
  }
});
