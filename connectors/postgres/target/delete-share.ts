import type pg from 'pg';
import { ABSENT, type Cell, type Row } from '../../../src/core/cell.ts';
import type { ShareTest } from '../../../src/core/change.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { TablePlan } from './table-plan.ts';

/** Rows whose places are held before they are deleted: some 10 MB. One statement deletes them, so that rows of one share that point to each other can go together. */
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
      await deleteAt(client, plan, found);
      found = { tables: [], places: [] };
    }
    if (isLast) break;
    const fitting = Math.floor((batchCharacters * rows.length) / Math.max(characters, 1));
    size = Math.max(1, Math.min(fitting, size * 4, maxBatchRows));
  }
  await client.query('close tl_share');
}

/** Where a row is: the oid of its table or partition, and its place there. */
interface Places {
  readonly tables: string[];
  readonly places: string[];
}

/** In one statement, over all partitions: what points from one row to another is checked at its end. */
async function deleteAt(client: pg.Client, plan: TablePlan, { tables, places }: Places): Promise<void> {
  const { relation, source, columns } = plan;
  const mark = columns.find(({ index }) => index === source.kept?.mark?.column)?.column;
  const set = mark && ` set ${quoteIdentifier(mark.name)} = $3::pg_catalog.text::${mark.typeSql}`;
  // The first condition finds the rows by their places, in every partition; the second leaves those of the others.
  const text = `${set === undefined ? `delete from ${relation}` : `update ${relation}${set}`}
    where ctid = any($2::tid[]) and (tableoid, ctid) in (select * from unnest($1::oid[], $2::tid[]))`;
  const values: unknown[] = [`{${tables.join(',')}}`, `{"${places.join('","')}"}`];
  if (set !== undefined) values.push(source.kept?.mark?.value ?? null);
  const { rowCount } = await client.query({ text, values });
  if (rowCount !== places.length)
    throw new Error(`${places.length} rows of a locked table were to go, and ${rowCount} did`);
}

function bytes(value: string | null): Cell {
  return value === null ? null : Buffer.from(value.slice(2), 'hex');
}

/** Values as the server writes them, which is how the source's come. */
const asWritten: pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text };
