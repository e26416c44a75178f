import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Engine } from '../../src/demo/engine.ts';
import { type DemoResult, passed, resultText } from '../../src/demo/summary.ts';
import type { WorkDirectory } from '../../src/demo/work-directory.ts';

const result: DemoResult = {
  equal: false,
  tables: [
    { name: 'bank.accounts', rows: 1_000, equal: 999, missing: 0, extra: 0, different: 1 },
    { name: 'bank.journal', rows: 12, equal: 11, missing: 1, extra: 0, different: 0 },
  ],
  compare: { meanwhile: true, equal: false, agrees: true },
  recovery: { workerPid: 7, ms: 1_500 },
  bank: { reads: 9, wrong: 0 },
  transactions: 12,
  rows: 30,
  highestLagMs: 80,
};

test('the end of a demo tells each table, and whether all is equal', () => {
  const text = resultText(result);
  expect(text).toMatch(/^NOT EQUAL/m);
  expect(text).toMatch(/bank\.accounts +1,000 +999 +0 +0 +1$/m);
  expect(text).toMatch(/bank\.journal .* 1 +0 +0$/m);
  expect(text).toContain('NOT equal at the end, as the plain comparer says');
  expect(resultText({ ...result, equal: true })).toMatch(/^EQUAL:/m);
});

test('a demo has passed where both comparers say so, and the bank added up whenever it was read', () => {
  const well: DemoResult = { ...result, equal: true, compare: { meanwhile: true, equal: true, agrees: true } };
  expect(passed(well)).toBe(true);
  expect(passed({ ...well, compare: null })).toBe(true);
  for (const wrong of [
    result,
    { ...well, equal: false },
    { ...well, compare: { meanwhile: false, equal: true, agrees: true } },
    { ...well, compare: { meanwhile: true, equal: true, agrees: false } },
    { ...well, bank: { reads: 9, wrong: 1 } },
    { ...well, bank: { reads: 0, wrong: 0 } },
  ])
    expect(passed(wrong)).toBe(false);
});

test('a demo that is given up tells what its engine has logged last', () => {
  const path = mkdtempSync(join(tmpdir(), 'tidelock-demo-end-'));
  try {
    writeFileSync(join(path, 'engine.log'), Array.from({ length: 20 }, (_, n) => `line ${n}\n`).join(''));
    const engine = new Engine({ file: 'none', work: { path } as WorkDirectory });
    const error = engine.failed('the route has failed');
    expect(error).toMatchObject({ code: 'TL-5102', remedy: expect.stringContaining('--keep') });
    expect(error.message).toMatch(/the route has failed\n {2}line 12\n(.*\n)*.*line 19$/);
  } finally {
    rmSync(path, { recursive: true });
  }
});
