import type { Row } from '../../../src/core/cell.ts';
import { type CopyData, copyData } from './copy-data.ts';

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

/** The server reads one message while the next is on its way. */
const messageRows = 500;

/** Rows in COPY's text format, as messages of the protocol. */
export function copyMessages(rows: readonly Row[]): CopyData[] {
  if (rows.length <= messageRows) return [copyData(copyText(rows))];
  const messages: CopyData[] = [];
  for (let at = 0; at < rows.length; at += messageRows)
    messages.push(copyData(copyText(rows.slice(at, at + messageRows))));
  return messages;
}

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
