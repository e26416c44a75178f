import type { BucketChoice, ComparedShape, KeyRange, RowHash, RowPlace } from '../../../src/core/compare-side.ts';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../identifiers.ts';
import { canonicalHash } from './canonical-text.ts';
import type { PostgresSideColumn, PostgresSideTable } from './side-tables.ts';

/** Their casts to text write something else than they themselves do: `true` for `t`, and each address with its mask. */
const castOtherwise: ReadonlySet<string> = new Set(['pg_catalog.bool', 'pg_catalog.inet']);

/** The SQL of a compare over one table. Session settings are canonical (connect.ts): a value has one text only. */
export class CompareSql {
  readonly #table: PostgresSideTable;
  readonly #shape: ComparedShape;

  constructor(table: PostgresSideTable, shape: ComparedShape) {
    this.#table = table;
    this.#shape = shape;
  }

  /** `values`: of the keys at the range's ends. */
  range({ after, to }: KeyRange): { readonly text: string; readonly values: string[] } {
    const { condition } = this.#shape;
    const parts: string[] = condition === null ? [] : [conditionText(condition)];
    const values: string[] = [];
    for (const [operator, key] of [
      ['>', after],
      ['<=', to],
    ] as const) {
      if (key === null) continue;
      const bound = key.map((text, at) => {
        values.push(text);
        return `$${values.length}::${this.#keyColumns[at]?.typeSql}`;
      });
      parts.push(`(${this.#keyNames.join(', ')}) ${operator} (${bound.join(', ')})`);
    }
    return { text: parts.length === 0 ? '' : `where ${parts.join(' and ')}`, values };
  }

  digest(hash: RowHash, where: string): string {
    return `select count(*)::text as rows, coalesce(sum(${this.hash(hash)}), 0)::text as sum from ${this.from} ${where}`;
  }

  list(hash: RowHash, where: string): string {
    return `select ${this.keyArray} as key, ${this.hash(hash)}::text as hash from ${this.from} ${where}`;
  }

  boundary(where: string, rows: number): string {
    const names = this.#keyNames.join(', ');
    return `select ${this.keyArray} as key from ${this.from} ${where} order by ${names} offset ${rows - 1} limit 1`;
  }

  get ends(): string {
    const [name] = this.#keyNames;
    return `select min(${name})::text as first, max(${name})::text as last from ${this.from}`;
  }

  boundaries(where: string, every: number): string {
    const names = this.#keyNames.join(', ');
    return `select ${this.keyArray} as key from (
        select ${names}, row_number() over (order by ${names}) as number from ${this.from} ${where}) numbered
      where number % ${every} = 0 order by number`;
  }

  /**
   * $1 and so on: an array of texts for each column of the key. Whatever the condition: a row that no longer meets it is there all
   * the same.
   */
  get rows(): string {
    return this.#ofKeys(`${this.#cells} as cells`);
  }

  /** Likewise. */
  get versions(): string {
    return this.#ofKeys(`${versionOf('t')} as version`);
  }

  #ofKeys(what: string): string {
    const arrays = this.#keyColumns.map((_, at) => `$${at + 1}::text[]`);
    const names = this.#keyColumns.map(
      ({ name, typeSql, equals }, at) => `t.${quoteIdentifier(name)} ${equals} k.k${at}::${typeSql}`,
    );
    return `select ${this.keyArray} as key, ${what}
      from unnest(${arrays.join(', ')}) k(${arrays.map((_, at) => `k${at}`).join(', ')})
      join ${this.from} t on ${names.join(' and ')}`;
  }

  /** $1 and so on: an array of texts for each column. */
  given(hash: RowHash, buckets: number): string {
    return `select ${this.keyArray} as key, ${this.hash(hash)}::text as hash, ${this.bucket(hash, buckets)} as bucket
      from ${this.#givenRows} order by ${givenAt}`;
  }

  rowsGiven(): string {
    return `select ${this.keyArray} as key, ${this.#cells} as cells from ${this.#givenRows}`;
  }

  /** As the table would hold them. */
  get #givenRows(): string {
    const columns = this.#shape.columns.map(({ name }) => this.#column(name));
    const arrays = columns.map((_, at) => `$${at + 1}::text[]`);
    const cast = columns.map((column, at) => `${held(`g.c${at}`, column)} as ${quoteIdentifier(column.name)}`);
    const names = arrays.map((_, at) => `c${at}`).join(', ');
    return `(select ${cast.join(', ')}, g.place as ${givenAt} from unnest(${arrays.join(', ')}) with ordinality g(${names}, place)) given`;
  }

  get #cells(): string {
    return this.#cellsOf('');
  }

  /** `alias`: with its dot. */
  #cellsOf(alias: string): string {
    return `array[${this.#shape.columns.map(({ name }) => this.#text(name, alias)).join(', ')}]::text[]`;
  }

  bucketDigests(hash: RowHash, buckets: number): string {
    return `select ${this.bucket(hash, buckets)} as bucket, count(*)::text as rows, sum(${this.hash(hash)})::text as sum
      from ${this.from} ${this.range({ after: null, to: null }).text} group by 1`;
  }

  /** $1: the numbers of the buckets. */
  listBuckets(hash: RowHash, { buckets, places = false }: Omit<BucketChoice, 'chosen'>): string {
    const { condition } = this.#shape;
    const place = places ? `, ${versionOf('t')} as place` : '';
    return `select ${this.keyArray} as key, ${this.hash(hash)}::text as hash${place} from ${this.from} t
      where ${this.bucket(hash, buckets)} = any($1::int4[])${condition === null ? '' : ` and ${conditionText(condition)}`}`;
  }

  /** $1: places, $2: the tids in them. */
  get placed(): string {
    return `select ${versionOf('t')} as place, ${this.#cells} as cells from ${this.from} t
      where t.ctid = any($2::tid[]) and ${versionOf('t')} = any($1::text[])`;
  }

  /** By its key where it has one: rows that differ are in one bucket then. */
  bucket(hash: RowHash, buckets: number): string {
    const { key } = this.#shape;
    const what =
      key.length === 0
        ? this.#signedHash(hash)
        : (this.#canonicalHash(key, hash) ??
          hashed(`row(${this.#keyColumns.map((column) => keyForm(column)).join(', ')})::text`, hash));
    return `(${what} & ${buckets - 1})::int4`;
  }

  /** $1: repairs as JSON (RowRepair). A row that is another one than it was seen is left alone. */
  get deleteRows(): string {
    return `delete from ${this.from} t using ${repairs} where ${this.#isBefore} returning ${this.#aliasedKey}`;
  }

  /** Likewise; null where a row is nothing but its key. */
  get updateRows(): string | null {
    const { columns, key } = this.#shape;
    const set = columns.flatMap(({ name }, at) =>
      key.includes(name) ? [] : [`${quoteIdentifier(name)} = ${this.#cell('after', at, name)}`],
    );
    if (set.length === 0) return null;
    return `update ${this.from} t set ${set.join(', ')} from ${repairs} where ${this.#isBefore} and ${this.#fits}
      returning ${this.#aliasedKey}`;
  }

  /** Likewise: where somebody has made a row with that key it is left alone. */
  get insertRows(): string {
    const names = this.#shape.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    const cells = this.#shape.columns.map(({ name }, at) => this.#cell('after', at, name)).join(', ');
    return `insert into ${quoteTable(this.#table)} as t (${names}) overriding system value select ${cells} from ${repairs} where ${this.#fits}
      on conflict (${this.#keyNames.join(', ')}) do nothing returning ${this.#aliasedKey}`;
  }

  /**
   * Of rows without a key, $1: repairs, as above. Those that were seen at a place go there, where they are still as they were seen. $2: the tids in
   * the places.
   */
  get deletePlaced(): string {
    return `delete from ${this.from} t using ${numberedRepairs} where t.ctid = any($2::tid[])
      and ${versionOf('t')} = r.repair ->> 'version' and to_jsonb(${this.#cellsOf('t.')}) = r.repair -> 'before' returning r.at::int4 as at`;
  }

  /** Likewise; of others one like it goes for each, whichever it is. The table is read once. */
  get deleteAlike(): string {
    return `with wanted as (select repair -> 'before' as row, array_agg(at order by at) as places from ${numberedRepairs} group by 1),
      found as (select t.tableoid as of, t.ctid as tid, w.row, w.places[row_number() over (partition by w.row order by t.tableoid, t.ctid)] as at
        from ${this.from} t join wanted w on to_jsonb(${this.#cellsOf('t.')}) = w.row)
      delete from ${this.from} t using found where found.at is not null and t.ctid = found.tid and t.tableoid = found.of
        and to_jsonb(${this.#cellsOf('t.')}) = found.row returning found.at::int4 as at`;
  }

  /** Likewise: rows as they have come to stand there. */
  get insertAlike(): string {
    const names = this.#shape.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    const cells = this.#shape.columns.map(({ name }, at) => this.#cell('after', at, name)).join(', ');
    return `insert into ${quoteTable(this.#table)} as t (${names}) overriding system value select ${cells} from ${numberedRepairs}
      where ${this.#fits} order by r.at returning ${this.#cellsOf('t.')} as cells`;
  }

  #cell(image: 'key' | 'after', at: number, name: string): string {
    return `(r.repair -> '${image}' ->> ${at})::${this.#column(name).fullTypeSql}`;
  }

  /** No value is rounded or cut. */
  get #fits(): string {
    const fits = this.#shape.columns.map(({ name }, at) =>
      heldExactly(`(r.repair -> 'after' ->> ${at})`, this.#column(name)),
    );
    return ['true', ...fits.flatMap((one) => (one === null ? [] : [`(${one}) is not false`]))].join(' and ');
  }

  get #isBefore(): string {
    const keys = this.#keyColumns.map(
      ({ name, typeSql, equals }, at) =>
        `t.${quoteIdentifier(name)} ${equals} (r.repair -> 'key' ->> ${at})::${typeSql}`,
    );
    return `${keys.join(' and ')} and to_jsonb(${this.#cellsOf('t.')}) = r.repair -> 'before'
      and coalesce(r.repair ->> 'version' = ${versionOf('t')}, true)`;
  }

  get #aliasedKey(): string {
    return `array[${this.#keyColumns.map((column) => keyForm(column, 't.')).join(', ')}]::text[] as key`;
  }

  get from(): string {
    return `${this.#table.isPartitioned ? '' : 'only '}${quoteTable(this.#table)}`;
  }

  /**
   * Of a row's text as the server itself writes it: it tells NULL from an empty text, and where a value ends. A sum of
   * hashes does not depend on their order, and unlike their exclusive or does not lose rows that are there twice.
   */
  hash(hash: RowHash): string {
    const signed = this.#signedHash(hash);
    // Other vendors know no sign.
    return this.#isCanonical ? `mod(${signed}::numeric + 18446744073709551616, 18446744073709551616)` : signed;
  }

  get #isCanonical(): boolean {
    return this.#shape.columns.some(({ canonical }) => canonical !== undefined);
  }

  /** Null where the hash is that of PostgreSQL's own texts. */
  #canonicalHash(names: readonly string[], { seed }: RowHash): string | null {
    if (!this.#isCanonical) return null;
    const columns = names.map((name) => {
      const canonical = this.#shape.columns.find((column) => column.name === name)?.canonical;
      if (canonical === undefined) throw new RangeError('a column without a canonical text');
      return { name, type: this.#column(name).type, canonical };
    });
    return canonicalHash(columns, seed);
  }

  #signedHash({ kind, seed }: RowHash): string {
    const canonical = this.#canonicalHash(
      this.#shape.columns.map(({ name }) => name),
      { kind, seed },
    );
    if (canonical !== null) return canonical;
    const values = this.#shape.columns.map(({ name, form }) =>
      form === 'number' ? `trim_scale(${quoteIdentifier(name)}::numeric)` : quoteIdentifier(name),
    );
    return hashed(`row(${values.join(', ')})::text`, { kind, seed });
  }

  get keyArray(): string {
    return `array[${this.#keyColumns.map((column) => keyForm(column)).join(', ')}]::text[]`;
  }

  #text(name: string, alias: string): string {
    const { form } = this.#shape.columns.find((column) => column.name === name) ?? { form: 'text' };
    const column = `${alias}${quoteIdentifier(name)}`;
    if (form === 'number') return `trim_scale(${column}::numeric)::text`;
    // Not a cast: somebody may have made one of their own, and that of char(n) cuts blanks.
    // Nor IS NULL, which is true of a composite value whose fields are all NULL.
    return `case num_nulls(${column}) when 0 then format('%s', ${column}) end`;
  }

  get #keyNames(): string[] {
    return this.#shape.key.map(quoteIdentifier);
  }

  get #keyColumns(): PostgresSideColumn[] {
    return this.#shape.key.map((name) => this.#column(name));
  }

  #column(name: string): PostgresSideColumn {
    const column = this.#table.columns.find((one) => one.name === name);
    if (column === undefined) throw new RangeError('a column that the table has no more');
    return column;
  }
}

/** The tids in places. */
export function tidsOf(places: readonly RowPlace[]): string[] {
  return places.map((place) => /\(\d+,\d+\)/.exec(place)?.[0] ?? '(0,0)');
}

/** Whoever writes a row makes another version of it, which has another place, and another transaction in front. */
export function versionOf(alias: string): string {
  return `${alias}.tableoid::text || ${alias}.ctid::text || ${alias}.xmin::text`;
}

const repairs = '(select repair from jsonb_array_elements($1::jsonb) repair) r';
const numberedRepairs = '(select repair, at from jsonb_array_elements($1::jsonb) with ordinality u(repair, at)) r';

/** Among columns of any name. */
const givenAt = '"tidelock: place of a given row"';

/**
 * One text for all values that are equal: 1.0 and 1.00 are one key, and so are -0 and 0. Else that of the change queue, whose keys
 * are looked for among these (merge-changes.ts).
 */
function keyForm({ name, type }: PostgresSideColumn, alias = ''): string {
  const quoted = `${alias}${quoteIdentifier(name)}`;
  switch (type) {
    case 'pg_catalog.numeric':
      return `trim_scale(${quoted}::numeric)::text`;
    case 'pg_catalog.float4':
      return `(${quoted} + 0::float4)::text`;
    case 'pg_catalog.float8':
      return `(${quoted} + 0)::text`;
    default:
      return castOtherwise.has(type) ? `format('%s', ${quoted})` : `${quoted}::text`;
  }
}

/**
 * What the column would hold. A cast to a type with a modifier rounds and cuts without a word: a value that is another one then stays
 * as it is, so that it does not count as equal to what the target has made of it.
 */
function held(cell: string, column: PostgresSideColumn): string {
  const value = `${cell}::${column.fullTypeSql}`;
  const fits = heldExactly(cell, column);
  return fits === null ? value : `case when ${fits} then ${value} else ${cell}::${column.type} end`;
}

/** NULL for NULL; null where the type has no modifier to do so. */
function heldExactly(cell: string, { type, modifier, fullTypeSql }: PostgresSideColumn): string | null {
  if (modifier === -1 || !type.startsWith('pg_catalog.')) return null;
  return `${cell}::${fullTypeSql} = ${cell}::${type}`;
}

function hashed(text: string, { kind, seed }: RowHash): string {
  if (kind === 'server') return `hashtextextended((${text}) collate "C", ${quoteLiteral(seed)}::int8)`;
  return `('x' || left(md5(convert_to(${quoteLiteral(seed)} || (${text}), 'UTF8')), 16))::bit(64)::int8`;
}

/** It may end with a comment. */
function conditionText(condition: string): string {
  return `(${condition}\n)`;
}
