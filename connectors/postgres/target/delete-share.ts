import type pg from 'pg';
import { ABSENT, type Cell, type Row } from '../../../src/core/cell.ts';
import type { ShareTest } from '../../../src/core/change.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { asWritten } from './as-written.ts';
import type { TablePlan } from './table-plan.ts';

/** Rows whose places are held before they are deleted: some 10 MB. */
const maxPlaces = 200_000;
/** What a batch of rows that are looked at should hold of text, about. */
const batchCharacters = 2_000_000;
const maxBatchRows = 20_000;

/**
 * Deletes the rows of a table that came from the source, all of them without a test, in the open target transaction; of
 * a table whose deleted rows are marked, marks them. The rows are looked at here and not by the server: the test is the
 * route's own transforms, and an equal one in SQL would have to be proven for each. Others may read the table meanwhile,
 * and not write it, so that a row's place stays what it was.
 */
export async function deleteShare(client: pg.Client, plan: TablePlan, test: ShareTest | null): Promise<void> {
  await client.query(`lock table ${plan.relation} in share row exclusive mode`);
  if (test === null) {
    await client.query(`delete from ${plan.relation}`);
    return;
  }
  const columns = test.columns.map((index) => {
    const bound = plan.columns.find((one) => one.index === index);
    if (bound === undefined) throw new RangeError(`no column ${index} in ${plan.label}`);
    return bound;
  });
  const isBytes = columns.map(({ index }) => plan.source.columns[index]?.type === 'pg_catalog.bytea');
  const names = ['tableoid', 'ctid', ...columns.map(({ column }) => quoteIdentifier(column.name))].join(', ');
  const row: Row = new Array(plan.source.columns.length).fill(ABSENT);
  let found: Places = { tables: [], places: [] };
  let kept = 0;
  // The session avoids sequential scans, and every row is to be read.
  await client.query('set local enable_seqscan = on');
  await client.query(`declare tl_share no scroll cursor for select ${names} from ${plan.relation}`);
  await client.query('set local enable_seqscan = off');
  for (let size = 100; ; ) {
    const { rows } = await client.query<(string | null)[]>({
      text: `fetch ${size} from tl_share`,
      rowMode: 'array',
      types: asWritten,
    });
    let characters = 0;
    for (const [table = '', place = '', ...values] of rows as [string, string, ...(string | null)[]][]) {
      for (const [at, { index }] of columns.entries()) {
        const value = values[at] ?? null;
        characters += value?.length ?? 0;
        row[index] = isBytes[at] ? bytes(value) : value;
      }
      if (!test.isOurs(row)) continue;
      found.tables.push(table);
      found.places.push(place);
    }
    const isLast = rows.length < size;
    if (found.places.length > 0 && (isLast || found.places.length >= maxPlaces)) {
      if (isLast && kept === 0) await deleteAt(client, plan, found);
      else if (!plan.target.referencesItself) await deleteAt(client, plan, found);
      else {
        await keep(client, found, kept === 0);
        kept += found.places.length;
      }
      found = { tables: [], places: [] };
    }
    if (isLast) break;
    const fitting = Math.floor((batchCharacters * rows.length) / Math.max(characters, 1));
    size = Math.max(1, Math.min(fitting, size * 4, maxBatchRows));
  }
  await client.query('close tl_share');
  if (kept > 0) await deleteKept(client, plan, kept);
}

/** Where a row is: the oid of its table or partition, and its place there. */
interface Places {
  readonly tables: string[];
  readonly places: string[];
}

/** In one statement, over all partitions: what points from one row to another is checked at its end. */
async function deleteAt(client: pg.Client, plan: TablePlan, { tables, places }: Places): Promise<void> {
  // The first condition finds the rows by their places, in every partition; the second leaves those of the others.
  const found = 'ctid = any($2::tid[]) and (tableoid, ctid) in (select * from unnest($1::oid[], $2::tid[]))';
  await change(client, plan, { found, values: lists({ tables, places }), rows: places.length });
}

/**
 * Rows of one share that point to each other can only go in one statement. However many they are, their places are kept at the server, in a temporary table
 * of the transaction.
 */
async function keep(client: pg.Client, found: Places, isFirst: boolean): Promise<void> {
  if (isFirst) await client.query('create temporary table tl_places (tableoid_ oid, ctid_ tid) on commit drop');
  await client.query({
    text: 'insert into pg_temp.tl_places select * from unnest($1::oid[], $2::tid[])',
    values: lists(found),
  });
}

async function deleteKept(client: pg.Client, plan: TablePlan, rows: number): Promise<void> {
  const found = '(tableoid, ctid) in (select tableoid_, ctid_ from pg_temp.tl_places)';
  await client.query('set local enable_seqscan = on');
  await change(client, plan, { found, values: [], rows });
  await client.query('set local enable_seqscan = off');
  await client.query('drop table pg_temp.tl_places');
}

interface Finding {
  readonly found: string;
  readonly values: readonly string[];
  readonly rows: number;
}

async function change(client: pg.Client, plan: TablePlan, { found, values, rows }: Finding): Promise<void> {
  const { relation, source, columns } = plan;
  const mark = columns.find(({ index }) => index === source.kept?.mark?.column)?.column;
  const set = mark && ` set ${quoteIdentifier(mark.name)} = $${values.length + 1}::pg_catalog.text::${mark.typeSql}`;
  // The session avoids it; without it all places would be gone through for each row.
  await client.query('set local enable_hashjoin = on');
  const { rowCount } = await client.query({
    text: `${set === undefined ? `delete from ${relation}` : `update ${relation}${set}`} where ${found}`,
    values: set === undefined ? [...values] : [...values, source.kept?.mark?.value ?? null],
  });
  await client.query('set local enable_hashjoin = off');
  if (rowCount !== rows) throw new Error(`${rows} rows of a locked table were to go, and ${rowCount} did`);
}

function lists({ tables, places }: Places): [string, string] {
  return [`{${tables.join(',')}}`, `{"${places.join('","')}"}`];
}

function bytes(value: string | null): Cell {
  return value === null ? null : Buffer.from(value.slice(2), 'hex');
}
