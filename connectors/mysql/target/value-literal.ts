import { ABSENT, type Cell, UNCHANGED } from '../../../src/core/cell.ts';
import { encodedValue, type LongValues, longBytes, quotedValue } from '../long-value.ts';
import { doubleText } from '../source/binlog/values/number-text.ts';
import type { LiteralKind } from './column-kind.ts';

const number = /^-?[0-9]+(?:\.[0-9]+)?$/;
const float = /^-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?$/i;
const bits = /^[01]+$/;
/** What may not stand between quotes as it is, whatever the session's sql_mode says of backslashes. */
const special = /['\\\0]/;

/**
 * A value as SQL writes it. Statements of many rows bind none: a prepared one has its number of rows in its text and 65,535 parameters at most. What is
 * written bare is proven to be a number; a text that holds a quote or a backslash is written in hexadecimal, which means the same in every mode of the
 * server, so that no value can end its literal.
 */
export function valueLiteral(cell: Cell | undefined, kind: LiteralKind): string {
  if (cell === null) return 'null';
  if (typeof cell === 'string') {
    switch (kind) {
      case 'number':
        return number.test(cell) ? cell : textLiteral(cell);
      case 'single':
        // Its shortest text as a double may lie beyond what a float can be, and is not what is stored of it.
        return float.test(cell) ? floatLiteral(doubleText(Math.fround(Number(cell)))) : textLiteral(cell);
      case 'float':
        return float.test(cell) ? floatLiteral(cell) : textLiteral(cell);
      case 'bit':
        return bits.test(cell) ? `b'${cell}'` : textLiteral(cell);
      case 'bytes':
        return `x'${Buffer.from(cell, 'utf8').toString('hex')}'`;
      default:
        return textLiteral(cell);
    }
  }
  if (Buffer.isBuffer(cell)) return bytesLiteral(cell);
  if (cell === UNCHANGED || cell === ABSENT) throw new TypeError('a cell without a value reached a statement');
  throw new TypeError('an undefined cell reached a statement');
}

/** With an exponent it is a double; without one the server would take it for a decimal. */
function floatLiteral(text: string): string {
  return text.includes('e') || text.includes('E') ? text : `${text}e0`;
}

/** As `valueLiteral`, of a value that may be long: then a mark of it among `values`. */
export function markedLiteral(cell: Cell | undefined, kind: LiteralKind, values: LongValues): string {
  const isLong = (typeof cell === 'string' || Buffer.isBuffer(cell)) && cell.length > longBytes;
  if (!isLong) return valueLiteral(cell, kind);
  if (typeof cell !== 'string' || kind === 'bytes') return values.mark(encodedValue(cell, "from_base64('", "')"));
  if (kind !== 'text' && kind !== 'json') return valueLiteral(cell, kind);
  if (!special.test(cell)) return values.mark(quotedValue(cell));
  return values.mark(encodedValue(cell, "convert(from_base64('", "') using utf8mb4)"));
}

export function textLiteral(text: string): string {
  if (!special.test(text)) return `'${text}'`;
  if (text.length > encodedBytes) return `convert(${bytesLiteral(Buffer.from(text, 'utf8'))} using utf8mb4)`;
  return `_utf8mb4 x'${Buffer.from(text, 'utf8').toString('hex')}'`;
}

/** A statement is in memory several times on its way: from here on a third more than the value has is worth a function, and not twice as much. */
const encodedBytes = 65_536;

function bytesLiteral(bytes: Buffer): string {
  return bytes.length > encodedBytes ? `from_base64('${bytes.toString('base64')}')` : `x'${bytes.toString('hex')}'`;
}
