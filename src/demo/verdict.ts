import { createHmac } from 'node:crypto';
import type pg from 'pg';

/** A table as the two sides have it. Keys are integers, so that both servers order them alike. */
interface ComparedTable {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  /** Column names at the target that differ. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Columns that are masked on the way. */
  readonly masked?: readonly string[];
}

const tables: readonly ComparedTable[] = [
  { name: 'bank.accounts', key: ['id'], columns: ['owner', 'balance', 'changed_at'] },
  { name: 'bank.transfers', key: ['id'], columns: ['from_account', 'to_account', 'amount', 'note'] },
  { name: 'bank.journal', key: ['id'], columns: ['kind', 'at'] },
  {
    name: 'shop.customers',
    key: ['id'],
    columns: ['fname', 'last_name', 'email', 'visits'],
    renamed: { fname: 'first_name' },
    masked: ['email'],
  },
  { name: 'shop.orders', key: ['id'], columns: ['customer_id', 'status', 'total', 'placed_at'] },
  { name: 'shop.order_lines', key: ['order_id', 'line_no'], columns: ['product', 'quantity', 'price'] },
];

export interface TableVerdict {
  readonly name: string;
  /** At the source. */
  readonly rows: number;
  readonly equal: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
}

interface CompareOptions {
  readonly source: pg.Client;
  readonly target: pg.Client;
  readonly maskKey: string;
}

/**
 * Reads every row of both sides and compares what the target has with what the source's rows have to become. It
 * shares nothing with the engine: not its queries, its transforms, or its idea of a value.
 */
export async function compareAll(options: CompareOptions): Promise<TableVerdict[]> {
  const verdicts: TableVerdict[] = [];
  for (const table of tables) verdicts.push(await compareTable(table, options));
  return verdicts;
}

export function allEqual(verdicts: readonly TableVerdict[]): boolean {
  return verdicts.every(
    ({ rows, equal, missing, extra, different }) => rows === equal && !missing && !extra && !different,
  );
}

async function compareTable(table: ComparedTable, options: CompareOptions): Promise<TableVerdict> {
  const { key, columns, name } = table;
  const sourceRows = rowsInKeyOrder(options.source, name, [...key, ...columns]);
  const names = [...key, ...columns].map((column) => table.renamed?.[column] ?? column);
  const targetRows = rowsInKeyOrder(options.target, name, names);
  const counts = { rows: 0, equal: 0, missing: 0, extra: 0, different: 0 };
  let source = await sourceRows.next();
  let target = await targetRows.next();
  while (!source.done || !target.done) {
    const order = source.done ? 1 : target.done ? -1 : compareKeys(source.value, target.value, key.length);
    if (!source.done && order <= 0) counts.rows += 1;
    if (order < 0) counts.missing += 1;
    else if (order > 0) counts.extra += 1;
    else if (sameRow(expected(source.value ?? [], table, options.maskKey), target.value ?? [])) counts.equal += 1;
    else counts.different += 1;
    if (order <= 0) source = await sourceRows.next();
    if (order >= 0) target = await targetRows.next();
  }
  return { name, ...counts };
}

type TextRow = readonly (string | null)[];

async function* rowsInKeyOrder(client: pg.Client, table: string, columns: readonly string[]): AsyncGenerator<TextRow> {
  const key = tables.find(({ name }) => name === table)?.key ?? [];
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query(`SET LOCAL timezone = 'UTC'; SET LOCAL extra_float_digits = 1`);
  await client.query(
    `DECLARE demo_rows NO SCROLL CURSOR FOR
     SELECT ${columns.map((column) => `${column}::text`).join(', ')} FROM ${table} ORDER BY ${key.map((c) => `${table}.${c}`).join(', ')}`,
  );
  for (;;) {
    const { rows } = await client.query<(string | null)[]>({ text: 'FETCH 5000 FROM demo_rows', rowMode: 'array' });
    if (rows.length === 0) break;
    yield* rows;
  }
  await client.query('COMMIT');
}

function compareKeys(a: TextRow, b: TextRow, length: number): number {
  for (let index = 0; index < length; index += 1) {
    const left = BigInt(a[index] ?? 0);
    const right = BigInt(b[index] ?? 0);
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function expected(row: TextRow, table: ComparedTable, maskKey: string): TextRow {
  const masked = (table.masked ?? []).map((column) => table.key.length + table.columns.indexOf(column));
  return row.map((value, index) =>
    value !== null && masked.includes(index)
      ? createHmac('sha256', maskKey).update(value, 'utf8').digest('hex').slice(0, 32)
      : value,
  );
}

function sameRow(a: TextRow, b: TextRow): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
