import type { Cell } from '../../../src/core/cell.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { floatText } from '../source/binlog/values/number-text.ts';

/** How a column's values are asked for, so that they come as the binlog tells them. */
export interface SelectedValue {
  readonly sql: string;
  /** Of what comes, which is bytes where `isBinary`, else text. */
  readonly isBinary: boolean;
  readonly read: ((text: string) => Cell) | null;
  /** Is never an empty text. */
  readonly isDocument?: true;
}

const binary = /^(?:binary|varbinary|tinyblob|blob|mediumblob|longblob|geometry|vector)\b/;
const numberUnsigned = /^(?:(?:tiny|small|medium|big)?int|decimal)\b.* unsigned$/;

/** `type` as columnTypeOf() names it. Under the session settings of connectMysql(). */
export function selectValue(name: string, type: string): SelectedValue {
  const column = quoteIdentifier(name);
  if (binary.test(type)) return { sql: column, isBinary: true, read: null };
  // The driver would take it for bytes.
  if (type === 'json') return { sql: `CAST(${column} AS CHAR)`, isBinary: false, read: null, isDocument: true };
  const bits = /^bit\((\d+)\)$/.exec(type)?.[1];
  if (bits !== undefined) return { sql: `LPAD(BIN(${column} + 0), ${bits}, '0')`, isBinary: false, read: null };
  // A float would be shown with six digits, and either with those that an old column type has fixed; times one they are doubles, zeros with their sign.
  if (/^float\b/.test(type))
    return { sql: `${column} * 1e0`, isBinary: false, read: (text) => floatText(Math.fround(Number(text))) };
  if (/^double\b/.test(type)) return { sql: `${column} * 1e0`, isBinary: false, read: null };
  // ZEROFILL, which makes a column unsigned, is in what is shown only.
  if (numberUnsigned.test(type)) return { sql: column, isBinary: false, read: withoutFill };
  return { sql: column, isBinary: false, read: null };
}

function withoutFill(text: string): string {
  return text.startsWith('0') ? text.replace(/^0+(?=\d)/, '') : text;
}
