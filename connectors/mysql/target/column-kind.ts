/** What a column's type name (catalogue/column-type.ts) says. */
export interface ColumnType {
  /** `varchar`, `decimal`, `int`, ... */
  readonly base: string;
  readonly unsigned: boolean;
  /** A length, a number of bits or of digits, of a fraction. */
  readonly size: number | null;
  readonly scale: number;
  /** Of an enum or a set, as the name writes them. */
  readonly members: readonly string[];
  /** Null of what is no text. */
  readonly collation: string | null;
}

const pattern = /^([a-z0-9]+)(?:\((.*)\))?( unsigned)?(?: collate ([a-z0-9_]+))?$/s;

export function parseType(name: string): ColumnType {
  const [, base = name, inside, unsigned, collation = null] = pattern.exec(name) ?? [];
  const isListed = base === 'enum' || base === 'set';
  const numbers = isListed || inside === undefined ? [] : inside.split(',').map(Number);
  return {
    base,
    unsigned: unsigned !== undefined,
    size: numbers[0] ?? null,
    scale: numbers[1] ?? 0,
    members: isListed ? [...(inside ?? '').matchAll(/'((?:[^']|'')*)'/g)].map(([quoted]) => quoted) : [],
    collation,
  };
}

/**
 * How values of a column are written into statements. `number`, `float`: as they are; `single`: the double that a 32-bit float is; `bit`: b'…'; `bytes`: x'…'; `text`: quoted, for texts and all that is
 * read from its text without loss; `json`: documents that MySQL parses.
 */
export type LiteralKind = 'number' | 'float' | 'single' | 'bit' | 'bytes' | 'text' | 'json';

export const integerBases: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);
const bytesBases: ReadonlySet<string> = new Set([
  ...['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'geometry', 'vector'],
]);

export function literalKind({ base }: ColumnType): LiteralKind {
  if (integerBases.has(base) || base === 'decimal' || base === 'year') return 'number';
  if (base === 'float') return 'single';
  if (base === 'double') return 'float';
  if (base === 'bit' || base === 'json') return base;
  return bytesBases.has(base) ? 'bytes' : 'text';
}

/** The charset that a collation is of: the first word of its name. */
export function charsetOf(collation: string): string {
  const [charset = ''] = collation.split('_');
  return charset === 'utf8' ? 'utf8mb3' : charset;
}
/** Collations that hold texts equal which differ in blanks at their end are not. */
const exactCollation = /^utf8mb4_0900_bin$|_nopad_bin$/;
const exactTexts: ReadonlySet<string> = new Set(['varchar', 'tinytext', 'text', 'mediumtext', 'longtext']);

/** Values that the server holds equal are one text, as in the language of `owns`. */
export function isExact({ base, scale, collation }: ColumnType): boolean {
  if (integerBases.has(base) || base === 'uuid' || base === 'binary') return true;
  if (base === 'decimal') return scale === 0;
  return exactTexts.has(base) && collation !== null && exactCollation.test(collation);
}
