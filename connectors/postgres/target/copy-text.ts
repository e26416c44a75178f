import type { Row } from '../../../src/core/cell.ts';

const special = /[\\\b\f\n\r\t\v]/;
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** Rows in COPY's text format: tabs between cells, \N for NULL, a line feed after each row. */
export function copyText(rows: readonly Row[]): string {
  let text = '';
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      if (i > 0) text += '\t';
      const cell = row[i];
      if (typeof cell === 'string') text += special.test(cell) ? escaped(cell) : cell;
      else if (cell === null) text += '\\N';
      else if (Buffer.isBuffer(cell)) text += `\\\\x${cell.toString('hex')}`;
      else throw new TypeError('a cell without a value reached COPY');
    }
    text += '\n';
  }
  return text;
}

function escaped(cell: string): string {
  return cell.replaceAll(/[\\\b\f\n\r\t\v]/g, (character) => escapes[character] ?? character);
}
