import type { Cell, Row } from '../../../src/core/cell.ts';

/** How an element of an array literal is written. */
export type ElementForm = 'plain' | 'quoted';

/** Types whose text never holds a character that is special in an array literal. */
const plainTypes = new Set(
  'int2 int4 int8 oid float4 float8 numeric bool uuid date time timetz timestamp timestamptz'
    .split(' ')
    .map((name) => `pg_catalog.${name}`),
);

export function elementForm(baseType: string): ElementForm {
  return plainTypes.has(baseType) ? 'plain' : 'quoted';
}

const special = /["\\]/;

/** Column `index` of the rows as an array literal. Building one string a column avoids an object per value. */
export function arrayLiteral(rows: readonly Row[], index: number, form: ElementForm): string {
  let text = '{';
  let separator = '';
  for (const row of rows) {
    text += separator + element(row[index], form);
    separator = ',';
  }
  return `${text}}`;
}

function element(cell: Cell | undefined, form: ElementForm): string {
  if (cell === null) return 'NULL';
  if (typeof cell === 'string') {
    if (form === 'plain') return cell;
    return special.test(cell) ? `"${cell.replaceAll(/["\\]/g, '\\$&')}"` : `"${cell}"`;
  }
  if (Buffer.isBuffer(cell)) return `"\\\\x${cell.toString('hex')}"`;
  throw new TypeError('a cell without a value reached an array literal');
}
