import type { TableVersion } from '../../../src/core/table.ts';

/** Whether what a partition logs of its old rows holds what the whole table's replica identity promises. */
export function identifies(part: TableVersion, whole: TableVersion): boolean {
  // A whole old row holds every key.
  if (part.identity === 'full') return true;
  return whole.identity !== 'full' && keyOf(part) === keyOf(whole);
}

function keyOf({ columns }: TableVersion): string {
  const key = columns.filter((column) => column.key).map(({ name }) => name);
  return key.sort().join('\0');
}
