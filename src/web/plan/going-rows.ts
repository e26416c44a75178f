import type { PlannedRoute } from '../api/documents.ts';
import { counted } from '../format/numbers.ts';

/** Rows at the target that are deleted, a line for each table. */
export function goingRows({ replacedRows, target }: PlannedRoute): string[] {
  return replacedRows.map(
    ({ table, rows, more }) =>
      `${more ? 'More than ' : ''}${counted(rows, 'row')} of ${table} at ${target.node} are deleted.`,
  );
}
