import type { TestDatabase } from './postgres.ts';
import { boundsOf, valuesOfType } from './type-values.ts';

/** A type of the server, as far as values can be made of it. */
export interface ServerType {
  readonly oid: string;
  readonly name: string;
  /** Quoted and qualified. */
  readonly sql: string;
  readonly kind: string;
  readonly delimiter: string;
  /** Of an array. */
  readonly element: string | null;
  /** Below a domain. */
  readonly base: string | null;
  readonly attributes: readonly string[];
  readonly labels: readonly string[];
  /** Of a range. */
  readonly subtype: string | null;
  /** Of a multirange. */
  readonly range: string | null;
  /** The function of its binary form, null where there is none. */
  readonly send: string | null;
}

/** Every type that a column can have, by oid: pseudo types have no columns. */
export async function readTypes(database: TestDatabase): Promise<Map<string, ServerType>> {
  const rows = await database.query(`
    SELECT t.oid::text, n.nspname || '.' || t.typname AS name, quote_ident(n.nspname) || '.' || quote_ident(t.typname) AS sql,
      t.typtype::text AS kind, t.typdelim::text AS delimiter, nullif(t.typbasetype, 0)::text AS base,
      (SELECT e.oid::text FROM pg_type e WHERE e.typarray = t.oid) AS element,
      ARRAY(SELECT a.atttypid::text FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum) AS attributes,
      ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) AS labels,
      (SELECT rngsubtype::text FROM pg_range WHERE rngtypid = t.oid) AS subtype,
      (SELECT rngtypid::text FROM pg_range WHERE rngmultitypid = t.oid) AS range,
      CASE WHEN t.typsend <> 0 THEN t.typsend::regproc::text END AS send
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype <> 'p' AND n.nspname NOT IN ('pg_toast', 'tidelock')
      AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid AND e.typtype = 'p')
    ORDER BY 2`);
  const types = rows as unknown as ServerType[];
  return new Map(types.map((type) => [type.oid, type]));
}

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** Makes input texts of any type, from those of the types that it is made of. */
export class ValueMaker {
  readonly #types: ReadonlyMap<string, ServerType>;
  readonly #random: () => number;

  constructor(types: ReadonlyMap<string, ServerType>, random: () => number) {
    this.#types = types;
    this.#random = random;
  }

  /** Null where nothing is known to be a value: the type, or one that it is made of, can't be read by the server. */
  values(oid: string): readonly string[] | null {
    const type = this.#types.get(oid);
    if (type === undefined) return null;
    const own = valuesOfType[type.name];
    if (own !== undefined) return own(this.#random);
    if (type.element !== null) return this.#arrays(type);
    if (type.base !== null) return this.values(type.base);
    if (type.kind === 'e') return type.labels;
    if (type.kind === 'c') return this.#composites(type);
    if (type.subtype !== null) return this.#ranges(type.subtype);
    return type.range === null ? null : this.#multiranges(type.range);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }

  #arrays({ element }: ServerType): readonly string[] | null {
    const values = this.values(element ?? '');
    const delimiter = this.#types.get(element ?? '')?.delimiter ?? ',';
    if (values === null || values.length === 0) return values;
    const item = (): string => (this.#random() < 0.2 ? 'NULL' : quoted(this.#pick(values)));
    const items = (count: number): string => `{${Array.from({ length: count }, item).join(delimiter)}}`;
    return [
      '{}',
      '{NULL}',
      items(1),
      `{${values.map(quoted).join(delimiter)}}`,
      `[-1:1]=${items(3)}`,
      `{${items(2)}${delimiter}${items(2)}}`,
      `[5:5][0:1]={${items(2)}}`,
    ];
  }

  #composites({ attributes }: ServerType): readonly string[] | null {
    const values = attributes.map((attribute) => this.values(attribute));
    if (values.some((list) => list === null)) return null;
    // Fields are as often null as not, and one has only nulls.
    const row = (chance: number): string =>
      `(${values.map((list) => (list?.length && this.#random() < chance ? quoted(this.#pick(list)) : '')).join(',')})`;
    return [row(0), row(0.5), row(0.9), row(1)];
  }

  #ranges(subtype: string): readonly string[] | null {
    const bounds = boundsOf[this.#types.get(subtype)?.name ?? ''];
    if (bounds === undefined) return null;
    const [low, high] = bounds.map(quoted);
    return ['empty', '(,)', `[${low},${high})`, `(${low},]`, `[${low},${low}]`, `(,${high})`];
  }

  #multiranges(range: string): readonly string[] | null {
    const subtype = this.#types.get(range)?.subtype ?? '';
    const ranges = this.#ranges(subtype);
    const bounds = boundsOf[this.#types.get(subtype)?.name ?? ''];
    if (ranges === null || bounds === undefined) return null;
    const [low, high] = bounds.map(quoted);
    return ['{}', '{(,)}', `{${ranges[2]}}`, `{(,${low}),(${high},)}`];
  }
}
