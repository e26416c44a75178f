import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AppliedSchema } from '../../src/control/route-schema.ts';
import { SchemaRuns } from '../../src/control/schema-runs.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const document = {
  version: 1,
  route: 'one',
  target: { node: 'there', hosts: [], database: 'd' },
  statements: [],
  findings: [],
  left: [],
} as const;
const statement = { half: 'before', what: 'table t', text: 'CREATE TABLE t ()' } as const;
const whole: AppliedSchema = { ...document, applied: [statement], refused: [], done: true };

function asking(runs: SchemaRuns) {
  const begun: { resolve(result: AppliedSchema): void; reject(error: Error): void }[] = [];
  const ask = (half: 'before' | 'all' = 'all') =>
    runs.ask({
      route: 'one',
      half,
      forMs: 1_000,
      begin: (onStatement) => {
        const run = Promise.withResolvers<AppliedSchema>();
        begun.push(run);
        onStatement(statement);
        return run.promise;
      },
      read: async () => document,
    });
  return { begun, ask };
}

test('who asks again is told of the same run, also of its end', async () => {
  const { begun, ask } = asking(new SchemaRuns());
  const first = ask();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await first).toEqual({ ...document, applied: [statement], refused: [], done: false });
  const second = ask();
  begun[0]?.resolve(whole);
  expect(await second).toEqual(whole);
  expect(begun).toHaveLength(1);
  void ask();
  expect(begun).toHaveLength(2);
});

test('what was refused while nobody waited is told to who asks next, and another half is not taken for done', async () => {
  const { begun, ask } = asking(new SchemaRuns());
  const first = ask();
  await vi.advanceTimersByTimeAsync(1_000);
  await first;
  begun[0]?.reject(new Error('refused'));
  await expect(ask()).rejects.toThrow('refused');
  const [one, other] = [ask('before'), ask('all')];
  begun[1]?.resolve(whole);
  expect(await one).toMatchObject({ done: true });
  expect(await other).toMatchObject({ done: false });
});

test('what came of a run long ago is no answer', async () => {
  const { begun, ask } = asking(new SchemaRuns());
  const first = ask();
  await vi.advanceTimersByTimeAsync(1_000);
  await first;
  begun[0]?.resolve(whole);
  await vi.advanceTimersByTimeAsync(61_000);
  void ask();
  expect(begun).toHaveLength(2);
});
