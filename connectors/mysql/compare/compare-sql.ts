import type { Cell, Row } from '../../../src/core/cell.ts';
import type {
  BucketChoice,
  ComparedShape,
  KeyRange,
  RowHash,
  RowKey,
  RowPlace,
} from '../../../src/core/compare-side.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { boundsCondition, keysCondition, type RangeKey } from '../source/range-key.ts';
import { type Canonical, type CanonicalColumn, portableText } from './canonical-text.ts';
import { digestOf, digestSql, hashOf, hashSql } from './row-hash.ts';
import type { MysqlSideColumn, MysqlSideTable } from './side-tables.ts';

/** The SQL of a compare over one table, and what is computed here as it is there. */
export class CompareSql {
  /** Of the shape, in its order. */
  readonly columns: readonly MysqlSideColumn[];
  readonly key: readonly MysqlSideColumn[];
  /** What a row is told apart from others by that differ from it: a digest of all columns of the table, whatever is compared of them. Of a table that is called `t`. */
  readonly place: string;
  readonly #shape: ComparedShape;

  constructor(table: MysqlSideTable, shape: ComparedShape) {
    const find = (name: string): MysqlSideColumn => {
      const column = table.columns.find((one) => one.name === name);
      if (column === undefined) throw new RangeError('a column that the table has no more');
      return column;
    };
    this.columns = shape.columns.map(({ name }) => find(name));
    this.key = shape.key.map(find);
    this.place = digestSql(table.columns.map(({ canonical }) => canonical));
    this.#shape = shape;
  }

  /** With its WHERE; '' where all rows are meant. */
  range(range: KeyRange): string {
    const { condition } = this.#shape;
    // It may end with a comment.
    const parts = [...(condition === null ? [] : [`(${condition}\n)`]), ...boundsCondition(this.#rangeKey, range)];
    return parts.length === 0 ? '' : ` WHERE ${parts.map((part) => `(${part})`).join(' AND ')}`;
  }

  /** A hash that could not be computed is another number each time, so that its range is listed. */
  digest(hash: RowHash, where: string): string {
    return `SELECT COUNT(*), COALESCE(SUM(${this.#counted(hash)}), 0) FROM ${this.#from}${where}`;
  }

  /** Texts of the key (see `keyOf`), then the hash. */
  list(hash: RowHash, where: string): string {
    return `SELECT ${[...this.#keyTexts, this.hash(hash)].join(', ')} FROM ${this.#from}${where}`;
  }

  boundary(where: string, rows: number): string {
    return `SELECT ${this.#keyTexts.join(', ')} FROM ${this.#from}${where} ORDER BY ${this.#keyNames} LIMIT 1 OFFSET ${rows - 1}`;
  }

  get ends(): string {
    const [name] = this.#shape.key;
    const column = quoteIdentifier(name ?? '');
    return `SELECT MIN(${column}) + 0, MAX(${column}) + 0 FROM ${this.#from}`;
  }

  boundaries(where: string, every: number): string {
    // Beside the columns of the key, whatever people have called them.
    let name = 'number of the row';
    while (this.#shape.key.some((column) => column.toLowerCase() === name)) name += ' again';
    const number = quoteIdentifier(name);
    return `SELECT ${this.#keyTexts.join(', ')} FROM (
        SELECT ${this.#keyNames}, ROW_NUMBER() OVER (ORDER BY ${this.#keyNames}) AS ${number} FROM ${this.#from}${where}) AS t
      WHERE t.${number} % ${every} = 0 ORDER BY t.${number}`;
  }

  /** Grouped by its place: of a name GROUP BY takes a column of the table before what was selected under it. */
  bucketDigests(hash: RowHash, buckets: number): string {
    return `SELECT ${this.#bucket(hash, buckets)}, COUNT(*), SUM(${this.#counted(hash)}) FROM ${this.#from}${this.range(all)} GROUP BY 1`;
  }

  /** `places`: behind the hash. */
  listBuckets(hash: RowHash, { chosen, buckets, places = false }: BucketChoice): string {
    const where = this.range(all);
    const numbers = chosen.map((number) => Number(number)).join(', ');
    const isChosen = `${this.#bucket(hash, buckets)} IN (${numbers})`;
    const listed = [...this.#keyTexts, this.hash(hash), ...(places ? [this.place] : [])];
    return `SELECT ${listed.join(', ')} FROM ${this.#from}${where === '' ? ' WHERE' : `${where} AND`} ${isChosen}`;
  }

  /** Behind the table, which is called `t`. */
  ofPlaces(places: readonly RowPlace[]): string {
    return ` AS t WHERE ${this.place} IN (${places.map(digestLiteral).join(', ')})`;
  }

  /** How many rows are like these in what is compared, and locks them. */
  lockAlike(digests: readonly string[]): string {
    return `SELECT ${this.#alike}, COUNT(*) FROM ${this.#from} WHERE ${this.#alike} IN (${digests.map(digestLiteral).join(', ')}) GROUP BY 1 FOR UPDATE`;
  }

  /** All of them. Not in the syntax for one table: MariaDB knows no other name for it there before 11.6. */
  deleteAlike(digests: readonly string[]): string {
    return `DELETE t FROM ${this.#from} WHERE ${this.#alike} IN (${digests.map(digestLiteral).join(', ')})`;
  }

  /** Of a row as `canonicalRow` has it, as `lockAlike` tells it. */
  digestOfRow(row: readonly Canonical[]): string {
    return digestOf(this.#canonicals, row);
  }

  /** Behind the table; whatever the condition: a row that no longer meets it is there all the same. */
  ofKeys(keys: readonly RowKey[]): string {
    return ` WHERE ${keysCondition(this.#rangeKey, keys)}`;
  }

  hash({ seed }: RowHash): string {
    return hashSql(this.#canonicals, seed);
  }

  /** Of cells as the statements above give them. */
  keyOf(texts: readonly (string | null)[]): RowKey {
    return this.key.map(({ canonical, parsed }, at) => {
      const text = texts[at] ?? '';
      if (canonical.form === 'bytes') return portableText(Buffer.from(text, 'hex')) ?? '';
      return parsed.base === 'double' && text === '-0' ? '0' : text;
    });
  }

  /** Of a row in the order of the shape's columns, as the table would hold it. */
  canonicalRow(row: Row): Canonical[] {
    return this.#canonicals.map((column, at) => column.canonical(row[at]));
  }

  keyOfRow(row: readonly Canonical[]): RowKey {
    const { columns } = this.#shape;
    return this.#keyTextsOf(({ name }) => row[columns.findIndex((column) => column.name === name)] ?? null);
  }

  /** The same of a row of which the cells of the key are known. */
  keyOfCells(cell: (name: string) => Cell | undefined): RowKey {
    return this.#keyTextsOf(({ name, canonical }) => canonical.canonical(cell(name)));
  }

  hashOfRow(row: readonly Canonical[], { seed }: RowHash): bigint {
    return hashOf(this.#canonicals, row, seed);
  }

  bucketOfRow(row: readonly Canonical[], { seed }: RowHash, buckets: number): number {
    const { columns, key } = this.#shape;
    const cells = key.map((name) => row[columns.findIndex((column) => column.name === name)] ?? null);
    const hash = key.length === 0 ? hashOf(this.#canonicals, row, seed) : hashOf(this.#keyCanonicals, cells, seed);
    return Number(hash & BigInt(buckets - 1));
  }

  #keyTextsOf(cellText: (column: MysqlSideColumn) => Canonical): RowKey {
    return this.key.map((column) => {
      const text = portableText(cellText(column)) ?? '';
      return column.parsed.base === 'double' && text === '-0' ? '0' : text;
    });
  }

  get #alike(): string {
    return digestSql(this.#canonicals);
  }

  get #canonicals(): readonly CanonicalColumn[] {
    return this.columns.map(({ canonical }) => canonical);
  }

  get #keyCanonicals(): readonly CanonicalColumn[] {
    return this.key.map(({ canonical }) => canonical);
  }

  #counted(hash: RowHash): string {
    return `COALESCE(${this.hash(hash)}, UUID_SHORT())`;
  }

  /** By its key where it has one: rows that differ are in one bucket then. */
  #bucket({ seed }: RowHash, buckets: number): string {
    const columns = this.key.length === 0 ? this.#canonicals : this.#keyCanonicals;
    return `COALESCE(${hashSql(columns, seed)} & ${buckets - 1}, 0)`;
  }

  get #keyTexts(): string[] {
    return this.#keyCanonicals.map(({ sql, form }) => (form === 'bytes' ? `HEX(${sql})` : sql));
  }

  get #keyNames(): string {
    return this.#shape.key.map((name) => `t.${quoteIdentifier(name)}`).join(', ');
  }

  get #rangeKey(): RangeKey {
    return this.key.map(({ part }) => part);
  }

  get #from(): string {
    return `${quoteTable(this.#shape.table)} AS t`;
  }
}

function digestLiteral(digest: string): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new RangeError('a digest that is none');
  return `'${digest}'`;
}

const all: KeyRange = { after: null, to: null };
