import type { Cell } from '../../../src/core/cell.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { floatText } from '../source/binlog/values/number-text.ts';
import { type ColumnType, parseType } from '../target/column-kind.ts';
import { beyondUnicode, noCharacter } from './beyond-unicode.ts';
import { unlikeItsText } from './members.ts';

/** How a column's values are asked for, so that they come as the binlog tells them. */
export interface SelectedValue {
  readonly sql: string;
  /** Of what comes, which is bytes where `isBinary`, else text. */
  readonly isBinary: boolean;
  readonly read: ((text: string) => Cell) | null;
  /** What an empty text stands for, which is no value then. */
  readonly empty?: EmptyText;
}

/** `document`: one that is too long; `enum`: no member; `set`: the empty member by itself; `text`: one with bytes that mean nothing. */
export type EmptyText = 'document' | 'enum' | 'set' | 'text';

const binary = /^(?:binary|varbinary|tinyblob|blob|mediumblob|longblob|geometry|vector)\b/;
const numberUnsigned = /^(?:(?:tiny|small|medium|big)?int|decimal)\b.* unsigned$/;

/**
 * `type` as columnTypeOf() names it. Under the session settings of connectMysql(). `exact`: texts with
 * characters that Unicode has not come as `empty`; else as canonical-text.ts has them.
 */
export function selectValue(name: string, type: string, exact = false): SelectedValue {
  const column = quoteIdentifier(name);
  if (binary.test(type)) return { sql: column, isBinary: true, read: null };
  // The driver would take it for bytes.
  if (type === 'json') return { sql: `CAST(${column} AS CHAR)`, isBinary: false, read: null, empty: 'document' };
  const bits = /^bit\((\d+)\)$/.exec(type)?.[1];
  if (bits !== undefined) return { sql: `LPAD(BIN(${column} + 0), ${bits}, '0')`, isBinary: false, read: null };
  // A float would be shown with six digits, and either with those that an old column type has fixed; times one they are doubles, zeros with their sign.
  if (/^float\b/.test(type))
    return { sql: `${column} * 1e0`, isBinary: false, read: (text) => floatText(Math.fround(Number(text))) };
  if (/^double\b/.test(type)) return { sql: `${column} * 1e0`, isBinary: false, read: null };
  // ZEROFILL, which makes a column unsigned, is in what is shown only.
  if (numberUnsigned.test(type)) return { sql: column, isBinary: false, read: withoutFill };
  const listed = /^(enum|set)\(/.exec(type)?.[1];
  if (listed !== undefined) return selectMember(column, parseType(type));
  return selectText(column, parseType(type), exact);
}

/** `exact`: an empty text comes as a sign for it, since one with characters that Unicode has not comes empty. */
function selectText(column: string, type: ColumnType, exact: boolean): SelectedValue {
  const beyond = beyondUnicode(column, type);
  if (beyond === null) return { sql: column, isBinary: false, read: null };
  const unicode = `CONVERT(${column} USING utf8mb4)`;
  if (!exact) return { sql: `IF(${beyond.is}, ${beyond.text}, ${unicode})`, isBinary: false, read: null };
  return {
    sql: `CASE WHEN LENGTH(${column}) = 0 THEN '${noCharacter}' WHEN ${beyond.is} THEN '' ELSE ${unicode} END`,
    isBinary: false,
    read: (text) => (text === noCharacter ? '' : text),
    empty: 'text',
  };
}

/** An enum with a value that is no member shows as its empty member would, if it has one; so does a set of only that as one of none. */
function selectMember(column: string, type: ColumnType): SelectedValue {
  const unlike = unlikeItsText(column, type);
  if (unlike === null)
    return { sql: column, isBinary: false, read: null, ...(type.base === 'enum' && { empty: 'enum' }) };
  return {
    sql: `IF(${unlike.is}, '', CONCAT('=', ${column}))`,
    isBinary: false,
    read: (text) => (text === '' ? unlike.text : text.slice(1)),
    empty: type.base === 'set' ? 'set' : 'enum',
  };
}

function withoutFill(text: string): string {
  return text.startsWith('0') ? text.replace(/^0+(?=\d)/, '') : text;
}
