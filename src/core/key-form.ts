import type { Cell } from './cell.ts';
import type { Column } from './table.ts';

/** One text for all values of a key that are equal, as CompareSide writes them. */
export function keyForm(cell: Cell, column: Column | undefined): string {
  if (Buffer.isBuffer(cell)) return `\\x${cell.toString('hex')}`;
  const text = String(cell);
  const [family] = /^(?:decimal|time|datetime|timestamp|bit|char)(?=\()/.exec(column?.type ?? '') ?? [];
  if (family !== undefined) return ofFamily(text, family);
  // A domain stands for what it is made of.
  switch (column?.definition?.kind === 'base' ? column.definition.name : column?.type) {
    case 'pg_catalog.numeric':
      return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
    case 'pg_catalog.bpchar':
      return text.replace(/ +$/, '');
    case 'pg_catalog.float4':
    case 'pg_catalog.float8':
      return text === '-0' ? '0' : text;
    default:
      return text;
  }
}

/** Of MySQL and MariaDB, whose names of types have digits and lengths in them. */
function ofFamily(text: string, family: string): string {
  if (family === 'bit') return text.replace(/^0+(?=[01])/, '');
  if (family === 'char') return text.replace(/ +$/, '');
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
