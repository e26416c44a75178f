import { expect, test } from 'vitest';
import { compareHtml } from '../../src/cli/compare/compare-html.ts';
import { compareText } from '../../src/cli/compare/compare-text.ts';
import { repairText } from '../../src/cli/compare/repair-text.ts';
import type { JobView } from '../../src/control/jobs.ts';
import type { CompareDocument, ComparedTable } from '../../src/operations/compare/compare-document.ts';

const none = { missing: 0, extra: 0, different: 0, undecided: 0, unverified: null, examples: [] };
const differs: ComparedTable = {
  name: 'public.orders',
  target: 'crm.orders',
  rows: 12_345,
  ...none,
  different: 1,
  examples: [
    {
      kind: 'different',
      digest: '0123456789abcdef',
      columns: ['note'],
      values: {
        key: { id: '7' },
        source: { id: '7', note: '<b>"x"</b>\u001b[31m' },
        target: { id: '7', note: null },
      },
    },
  ],
};
const left: ComparedTable = { name: 'public.log', target: 'public.log', rows: 0, ...none, unverified: 'for a reason' };
const document: CompareDocument = { version: 1, route: 'sales', equal: false, tables: [differs, left] };
const job = { id: 'sales/3', askedBy: '<me>', startedAt: null, endedAt: null } as unknown as JobView;

test('a table, its examples and what was not compared are told', () => {
  const text = compareText(document, null);
  expect(text).toContain('public.orders  12,345        0      0          1          0  differs');
  expect(text).toContain('public.log was not compared: for a reason');
  expect(text).toContain('public.orders -> crm.orders');
  expect(text).toContain('different key 0123456789abcdef  note');
  expect(text).toContain('target note=null');
  // What a value holds never drives the terminal.
  expect(text).not.toContain('\u001b');
  expect(text.trimEnd().split('\n').at(-1)).toBe('sales: not equal, 1 row differs, 1 table not compared');
  const nobodyKnows = compareText({ ...document, tables: [{ ...differs, ...none, undecided: 2 }] }, null);
  expect(nobodyKnows.trimEnd().split('\n').at(-1)).toBe('sales: not shown to be equal, 2 rows undecided');
  const part = compareText({ ...document, equal: true, partial: true, tables: [] }, 80);
  expect(part).toContain('sales: equal, 0 rows in 0 tables; only a part of the rows was looked at\n');
  expect(compareText({ ...document, equal: true, tables: [] }, 80)).toContain('sales: equal, 0 rows in 0 tables\n');
});

test('a value that has no form at the target is told by its column, and as no row that is not there', () => {
  const [example] = differs.examples;
  if (example === undefined) throw new RangeError('no example');
  const values = { key: { id: '7' }, source: null, target: null };
  const uncarried = { ...differs, examples: [{ ...example, uncarried: true as const, values }] };
  const text = compareText({ ...document, tables: [uncarried] }, null);
  expect(text).toContain('different key 0123456789abcdef  note (no form at the target)\n            id="7"\n');
  const html = compareHtml(job, { ...document, tables: [uncarried] });
  expect(html).toContain('note (no form at the target)');
  expect(text + html).not.toContain('(no row)');
});

test('the page holds what a value holds as text, and nothing that runs or loads', () => {
  const html = compareHtml(job, document);
  expect(html).toContain('&lt;b&gt;');
  expect(html).toContain('&lt;me&gt;');
  expect(html).not.toMatch(/<b>|<script|src=|href=|url\(/);
  expect(html).toContain("default-src 'none'");
  expect(html).toContain('<title>Compare of sales: not equal, 1 row differs, 1 table not compared</title>');
});

test('a repair tells where, how many, and how it is taken back', () => {
  const tables = [{ ...differs, examples: [], repaired: 1, left: 0, refused: { 'SQLSTATE 23505, constraint k': 2 } }];
  const target = { node: 'crm', host: 'db.example', hosts: ['db.example:3307'], database: 'crm' };
  const shared = { version: 1 as const, route: 'sales', target, tables };
  const done = repairText({ ...shared, job: 'sales/4', dryRun: false, equal: false }, null);
  expect(done).toContain('1 row repaired at crm (db.example:3307, database crm)');
  // As an engine has stored it that knew no ports.
  const { hosts: _, ...older } = target;
  expect(repairText({ ...shared, target: older, job: 'sales/4', dryRun: false, equal: false }, null)).toContain(
    'at crm (db.example, database crm)',
  );
  expect(done).toContain('2 rows refused by the target, SQLSTATE 23505, constraint k');
  expect(done).toContain('tidelock repair sales --undo sales/4 --yes');
  expect(repairText({ ...shared, job: null, dryRun: true, equal: false }, null)).toContain(
    '0 rows would be inserted, 1 updated, 0 deleted',
  );
});
