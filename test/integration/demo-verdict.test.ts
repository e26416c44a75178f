import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setBankStage } from '../../src/demo/bank-scenario.ts';
import { schemaSql } from '../../src/demo/schema.ts';
import { allEqual, compareAll, type TableVerdict } from '../../src/demo/verdict.ts';

let stage: Awaited<ReturnType<typeof setBankStage>>;
let source: pg.Client;
let target: pg.Client;

beforeAll(async () => {
  stage = await setBankStage();
  source = await stage.client('source');
  target = await stage.client('target');
  await target.query(schemaSql('target'));
  await copyAll();
  // The verdict alone is tested: what is inconsistent between tables is no matter here.
  await target.query('SET session_replication_role = replica');
});

afterAll(() => stage?.strike(false));

/** What a route would do, in the plainest way. */
async function copyAll(): Promise<void> {
  const mask = (value: unknown): string =>
    createHmac('sha256', stage.configuration.maskKey ?? '')
      .update(String(value))
      .digest('hex')
      .slice(0, 32);
  for (const table of ['bank.accounts', 'shop.customers', 'shop.orders', 'shop.order_lines']) {
    const { rows } = await source.query(`SELECT to_jsonb(t) AS row FROM ${table} t`);
    const mapped = rows.map(({ row: { fname, email, ...row } }) => ({
      ...row,
      ...(fname && { first_name: fname, email: mask(email) }),
    }));
    await target.query(`INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1)`, [
      JSON.stringify(mapped),
    ]);
  }
}

async function verdictWith(table: string, change: string, undo: string): Promise<TableVerdict | undefined> {
  await target.query(change);
  const tables = await compareAll({ source, target, maskKey: stage.configuration.maskKey ?? '' });
  await target.query(undo);
  expect(tables.filter(({ name }) => name !== table).every((other) => allEqual([other]))).toBe(true);
  return tables.find(({ name }) => name === table);
}

test('copies through rename and mask are equal, and every row was read', async () => {
  const tables = await compareAll({ source, target, maskKey: stage.configuration.maskKey ?? '' });
  expect(allEqual(tables)).toBe(true);
  expect(tables.map(({ name, rows, equal }) => [name, rows, equal])).toEqual([
    ['bank.accounts', 1_000, 1_000],
    ['bank.transfers', 0, 0],
    ['bank.journal', 0, 0],
    ['shop.customers', 2_000, 2_000],
    ['shop.orders', 4_000, 4_000],
    ['shop.order_lines', 12_000, 12_000],
  ]);
});

test('a cent too much is a different row', async () => {
  const change = (by: string): string => `UPDATE bank.accounts SET balance = balance + ${by} WHERE id = 1000`;
  expect(await verdictWith('bank.accounts', change('0.01'), change('-0.01'))).toMatchObject({
    rows: 1_000,
    equal: 999,
    different: 1,
    missing: 0,
    extra: 0,
  });
});

test('a row that is not there is missing, first, last or in between', async () => {
  const verdict = await verdictWith(
    'shop.order_lines',
    'CREATE TEMP TABLE gone AS SELECT * FROM shop.order_lines WHERE order_id IN (1, 77, 4000) AND line_no IN (1, 3); DELETE FROM shop.order_lines WHERE (order_id, line_no) IN (SELECT order_id, line_no FROM gone)',
    'INSERT INTO shop.order_lines SELECT * FROM gone',
  );
  expect(verdict).toMatchObject({ rows: 12_000, equal: 11_994, missing: 6, extra: 0, different: 0 });
});

test('a row too many is extra', async () => {
  const verdict = await verdictWith(
    'shop.orders',
    `INSERT INTO shop.orders VALUES (0, 1, 'paid', 1, now()), (99999, 1, 'paid', 1, now())`,
    'DELETE FROM shop.orders WHERE id IN (0, 99999)',
  );
  expect(verdict).toMatchObject({ rows: 4_000, equal: 4_000, extra: 2, missing: 0, different: 0 });
});

test('an address that was not masked is a different row', async () => {
  const { rows } = await target.query('SELECT email FROM shop.customers WHERE id = 5');
  const verdict = await verdictWith(
    'shop.customers',
    `UPDATE shop.customers SET email = 'customer5@example.com' WHERE id = 5`,
    `UPDATE shop.customers SET email = '${rows[0].email}' WHERE id = 5`,
  );
  expect(verdict).toMatchObject({ rows: 2_000, equal: 1_999, different: 1 });
});

test('NULL and an empty text differ', async () => {
  await source.query(`INSERT INTO bank.transfers VALUES (1, 1, 2, 1.00, NULL)`);
  const verdict = await verdictWith(
    'bank.transfers',
    `INSERT INTO bank.transfers VALUES (1, 1, 2, 1.00, '')`,
    `UPDATE bank.transfers SET note = NULL`,
  );
  expect(verdict).toMatchObject({ rows: 1, different: 1 });
});
