import type pg from 'pg';
import { ABSENT, type Row } from '../../../../src/core/cell.ts';
import type { RowChange } from '../../../../src/core/change.ts';
import { updateKeyImage } from '../../../sql/apply/net-effect.ts';
import type { RowKey } from '../../../sql/apply/row-key.ts';
import { quoteIdentifier } from '../../identifiers.ts';
import { arrayLiteral } from '../array-literal.ts';
import { asWritten } from '../as-written.ts';
import { collated } from '../row-statements.ts';
import type { TablePlan } from '../table-plan.ts';

/** Rows that one query asks for. */
const batch = 1_000;

/**
 * The target's rows that changes are about, as they are now: the key and the columns asked for, the rest ABSENT. Found
 * again by the key of the change; a row that is not there is missing from the result.
 */
export async function readOldRows(
  client: pg.Client,
  plan: TablePlan,
  columns: readonly number[],
  changes: readonly RowChange[],
): Promise<Map<RowKey, Row>> {
  const found = new Map<RowKey, Row>();
  const { readKey } = plan;
  if (readKey === null || columns.length === 0) return found;
  const images = changes.flatMap((change) => {
    const image = oldImage(plan, change);
    return image !== null && readKey(image) !== null ? [image] : [];
  });
  const query = selectOldRows(plan, columns);
  for (let at = 0; at < images.length; at += batch) {
    const rows = images.slice(at, at + batch);
    const values = plan.keyIndexes.map((index) => arrayLiteral(rows, index, 'quoted'));
    const result = await client.query<(string | null)[]>({ text: query, values, rowMode: 'array', types: asWritten });
    for (const cells of result.rows) {
      const row: Row = new Array(plan.source.columns.length).fill(ABSENT);
      for (const [i, index] of [...plan.keyIndexes, ...columns].entries()) row[index] = cells[i] ?? null;
      const key = readKey(row);
      if (key !== null) found.set(key, row);
    }
  }
  return found;
}

/** The image that names the row before the change; null where there was none. */
export function oldImage(plan: TablePlan, change: RowChange): Row | null {
  // Of a row that stayed when the source deleted it.
  if (change.kind === 'insert') return plan.source.kept === undefined ? null : change.after;
  return change.kind === 'delete' ? change.before : updateKeyImage(plan, change);
}

function selectOldRows(plan: TablePlan, columns: readonly number[]): string {
  const bound = (index: number) => {
    const column = plan.columns.find((c) => c.index === index)?.column;
    if (column === undefined) throw new RangeError(`no column ${index} in ${plan.label}`);
    return column;
  };
  const keys = plan.keyIndexes.map(bound);
  const list = [...keys, ...columns.map(bound)].map(({ name }) => `t.${quoteIdentifier(name)}`);
  const arrays = keys.map((_, at) => `$${at + 1}::pg_catalog.text[]`).join(', ');
  const names = keys.map((_, at) => `k${at}`).join(', ');
  const equal = keys.map(
    (column, at) =>
      `t.${quoteIdentifier(column.name)} ${plan.keyEquals[at]} ${collated(column, `u.k${at}::${column.typeSql}`)}`,
  );
  return `select ${list.join(', ')} from unnest(${arrays}) as u(${names}) join ${plan.relation} as t on ${equal.join(' and ')}`;
}
