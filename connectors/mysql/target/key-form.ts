import { type KeyPart, type KeyReader, type NormaliseKey, readerOfParts } from '../../sql/apply/row-key.ts';
import { integerBases } from './column-kind.ts';
import type { TargetColumn } from './target-table.ts';

const same: NormaliseKey = (text) => text;
const decimal: NormaliseKey = (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
/** Beyond these a collation may pass over characters, or hold sequences of them equal to one. */
const printable = /^[ -~]*$/;

const padded = (text: string): string => text.replace(/ +$/, '');

/** Texts without a NUL, which would run into the next column; blanks at the end count or don't. */
const exact: NormaliseKey = (text) => (text.includes('\0') ? null : text);
const exactPadded: NormaliseKey = (text) => (text.includes('\0') ? null : padded(text));
/**
 * Of printable ASCII these collations hold equal what differs in case only. Everything else is left to the server: such a change is applied by itself, after
 * all that came before it.
 */
const caseless: NormaliseKey = (text) => (printable.test(text) ? text.toLowerCase() : null);
const caselessPadded: NormaliseKey = (text) => (printable.test(text) ? padded(text).toLowerCase() : null);
const cased: NormaliseKey = (text) => (printable.test(text) ? text : null);

const collations: readonly (readonly [RegExp, NormaliseKey])[] = [
  [/^utf8mb4_0900_bin$/, exact],
  [/_nopad_bin$/, exact],
  [/_bin$/, exactPadded],
  [/^utf8mb4_0900_(?:ai|as)_ci$/, caseless],
  [/^utf8mb4_0900_as_cs$/, cased],
  [/^(?:utf8mb4|utf8mb3|ucs2|utf16|utf32)?_?uca1400_nopad_a[is]_ci$/, caseless],
  [/^(?:utf8mb4|utf8mb3|ucs2|utf16|utf32)?_?uca1400_a[is]_ci$/, caselessPadded],
  [/^(?:utf8|utf8mb3|utf8mb4)_(?:general|unicode|unicode_520)_nopad_ci$/, caseless],
  [/^(?:utf8|utf8mb3|utf8mb4)_(?:general|unicode|unicode_520)_ci$/, caselessPadded],
  [/^(?:ascii_general|latin1_swedish|latin1_general)_ci$/, caselessPadded],
];

const byBase: Readonly<Record<string, NormaliseKey>> = {
  decimal,
  year: same,
  date: same,
  time: same,
  datetime: same,
  timestamp: same,
  bit: same,
  // Bytes are told as hexadecimal text.
  binary: same,
  varbinary: same,
};

/** They leave out case or blanks by which a source of another collation, or another vendor, may tell two rows apart. */
const folding: ReadonlySet<NormaliseKey> = new Set([caseless, caselessPadded, exactPadded]);

/** Null where the server may hold values equal whose texts differ in ways that are not known here. */
export function normaliser({ type }: TargetColumn): NormaliseKey | null {
  if (integerBases.has(type.base)) return same;
  const { collation } = type;
  if (collation === null) return byBase[type.base] ?? null;
  // Members are what the server has made of them.
  if (type.base === 'enum') return exact;
  if (type.base !== 'char' && type.base !== 'varchar') return null;
  return collations.find(([pattern]) => pattern.test(collation))?.[1] ?? null;
}

/** Whether texts that differ may be one value of the column, as far as is known. */
export function mayFold(column: TargetColumn): boolean {
  const normalise = normaliser(column);
  return normalise === null || folding.has(normalise);
}

/** Null where keys of these columns can't be compared outside of the server: the table is a barrier then. */
export function keyReader(
  columns: readonly { readonly index: number; readonly column: TargetColumn }[],
): KeyReader | null {
  const parts: KeyPart[] = [];
  for (const { index, column } of columns) {
    const normalise = normaliser(column);
    if (normalise === null) return null;
    parts.push({ index, normalise, isFolded: folding.has(normalise) });
  }
  return readerOfParts(parts, integerBases.has(columns[0]?.column.type.base ?? ''));
}
