/** Which characters a text can hold. `server`: an encoding of which the server itself refuses what it lacks. */
export type Repertoire = 'unicode' | 'basicPlane' | 'latin1' | 'ascii' | 'server';

/**
 * The values of a column, whatever the database. Each kind has one canonical form of its values (docs/types.md), which both sides of a route
 * between vendors translate from and to: text, or a Buffer of bytes and geometry. Limits are those of the column, not of the value.
 */
export type LogicalType =
  /** `true`, `false` */
  | { readonly kind: 'boolean' }
  /** Digits, with a minus sign where it is below zero. */
  | { readonly kind: 'integer'; readonly min: bigint; readonly max: bigint }
  /** Digits without an exponent, and without zeros at the end of a fraction; with `specials` also `NaN`, `Infinity`, `-Infinity`. */
  | {
      readonly kind: 'decimal';
      /** Null: as many digits as a value has. A negative scale means that the last digits before the point are zeros. */
      readonly digits: { readonly precision: number; readonly scale: number } | null;
      readonly unsigned: boolean;
      readonly specials: boolean;
    }
  /** The shortest decimal that is read back as the same number, as JavaScript writes it; zero without a sign; with `specials` as a decimal's. */
  | {
      readonly kind: 'float';
      readonly bits: 32 | 64;
      readonly unsigned: boolean;
      readonly specials: boolean;
      /** The column rounds what it is given, without a word: DOUBLE(10,2). */
      readonly rounds?: true;
    }
  /** The text; where blanks at the end do not count (`padded`) without them. */
  | {
      readonly kind: 'text';
      readonly characters: number | null;
      /** Of the column's own encoding. */
      readonly bytes: { readonly max: number; readonly encoding: 'utf8' | 'one' | 'two' | 'four' } | null;
      readonly repertoire: Repertoire;
      /** U+0000 */
      readonly nul: boolean;
      readonly padded: boolean;
      /** Texts that differ may be equal to the column (case, accents, blanks at the end). */
      readonly folds: boolean;
    }
  /** A Buffer. `fixed`: all have `max` bytes. */
  | { readonly kind: 'bytes'; readonly max: number | null; readonly fixed: boolean }
  /** Zeros and ones. */
  | { readonly kind: 'bits'; readonly max: number | null; readonly fixed: boolean }
  /** `2026-01-31`; of years beyond four digits more of them; `0044-03-15 BC`; `infinity`. Zero: `0000-00-00`, `2026-00-00`, `2026-02-31`. */
  | { readonly kind: 'date'; readonly era: 'all' | 'fourDigits'; readonly zero: boolean; readonly infinity: boolean }
  /** `23:59:59.5`, without zeros at the end of the fraction. `span`: also negative, and beyond a day. */
  | { readonly kind: 'time'; readonly digits: number; readonly span: boolean }
  /** A date, a blank and a time. `moment`: in UTC. */
  | {
      readonly kind: 'timestamp';
      readonly moment: boolean;
      readonly digits: number;
      readonly era: 'all' | 'fourDigits' | 'unix32';
      readonly zero: boolean;
      readonly infinity: boolean;
    }
  /** As PostgreSQL writes it under IntervalStyle postgres. */
  | { readonly kind: 'interval' }
  /** Lower case, with hyphens. */
  | { readonly kind: 'uuid' }
  /**
   * `text`: as it was written, blanks, order and repeated keys included. `document`: what it means, keys once, numbers of any size. `binary`: the same with
   * numbers that are 64-bit integers or doubles.
   */
  | { readonly kind: 'json'; readonly form: 'text' | 'document' | 'binary' }
  /** The label. `empties`: or an empty text, which is none of them; `merges`: of two that differ in case the server stores the first for either. */
  | {
      readonly kind: 'enum';
      readonly labels: readonly string[];
      readonly repertoire: Repertoire;
      readonly empties?: true;
      readonly merges?: true;
    }
  /** Labels in their order, with commas between. `merges` likewise. */
  | {
      readonly kind: 'set';
      readonly labels: readonly string[];
      readonly repertoire: Repertoire;
      readonly merges?: true;
    }
  /** JSON of the elements' canonical forms: numbers, booleans and JSON as such, all else as texts; of several dimensions nested. */
  | { readonly kind: 'array'; readonly element: LogicalType }
  /** SRID (4 bytes, little-endian) and WKB. */
  | { readonly kind: 'geometry' }
  /** Whatever has a text form of its own at one vendor only: that form. */
  | { readonly kind: 'own'; readonly name: string };

/** A text without limits. */
export const anyText: Extract<LogicalType, { kind: 'text' }> = {
  kind: 'text',
  characters: null,
  bytes: null,
  repertoire: 'unicode',
  nul: false,
  padded: false,
  folds: false,
};

export type LogicalKind = LogicalType['kind'];

/** A value in canonical form; NULL never comes here. */
export type CanonicalValue = string | Buffer;
