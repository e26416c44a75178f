import { columnCases, Random } from '../../integration/mysql/column-cases.ts';
import type { MysqlVendor } from '../mysql-binaries.ts';
import { modifiedColumns, valuesOfType } from '../type-values.ts';

/** A column of a ring's first table. What is shown of it is computed by the server, and shares nothing with the engine's idea of a value. */
export interface RingColumn {
  readonly name: string;
  readonly definition: string;
  /** Literals of SQL. */
  readonly values: readonly string[];
  /** The value as text, in the words of the vendor; `type` is what the column is there, which behind a ring may be another one. */
  shown(column: string, type: string): string;
  /** Of what was shown: what two equal values have in common. */
  readonly normal?: (text: string) => string;
}

type Kind = Omit<RingColumn, 'name'>;

/** One column of each type that a table of the vendor can have. */
export function ringKinds(vendor: 'postgres' | MysqlVendor, seed: number, random: () => number): readonly Kind[] {
  return vendor === 'postgres' ? postgresKinds(random) : mysqlKinds(vendor, seed);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** As the server shows it, which a cast does not do of each type. */
const asText = (column: string): string => `CASE WHEN ${column} IS NOT NULL THEN format('%s', ${column}) END`;

/** Names that only one database knows, and a type without a length that other servers have. */
const notInRings = /^pg_catalog\.(?:reg|aclitem|bit$)/;

const arrays = ['bool', 'int4', 'int8', 'text', 'uuid', 'date', 'float8'];

function postgresKinds(random: () => number): readonly Kind[] {
  const bare = Object.entries(valuesOfType).filter(
    ([name]) => name.startsWith('pg_catalog.') && !notInRings.test(name),
  );
  const kinds = bare.map(([name, values]): Kind => {
    const type = name.replace('pg_catalog.', '');
    return {
      definition: `pg_catalog."${type}"`,
      values: values(random).map(quoted),
      shown: postgresShown(type),
      ...(type === 'jsonb' && { normal: document }),
    };
  });
  const modified = modifiedColumns
    .filter(([definition]) => !definition.endsWith('[]'))
    .map(([definition, values]): Kind => {
      const [type = ''] = definition.split('(');
      return { definition, values: values(random).map(quoted), shown: postgresShown(type) };
    });
  const lists = arrays.map((type): Kind => {
    const element = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
    const elements = (valuesOfType[`pg_catalog.${type}`]?.(random) ?? []).map(element);
    const all = elements.map((one) => `{${one},NULL}`);
    return {
      definition: `${type}[]`,
      values: [...all, '{}', `{{${elements[0]}},{${elements[1]}}}`].map(quoted),
      // PostgreSQL writes 9.999999999999999e+22 of what is 1e+23 elsewhere.
      ...(type === 'float8' && { normal: document }),
      shown: (column, there) => (there.endsWith('[]') ? `to_jsonb(${column})::text` : `${column}::text::jsonb::text`),
    };
  });
  const mood: Kind = { definition: 'ring.mood', values: ["'a'", "'b''c'", "'ü,x'"], shown: asText };
  return [...kinds, ...modified, ...lists, mood];
}

function postgresShown(type: string): RingColumn['shown'] {
  switch (type) {
    case 'bool':
      return (column) => `${column}::int::text`;
    case 'money':
      return (column) => `${column}::numeric::text`;
    case 'numeric':
      return (column) => `trim_scale(${column}::numeric)::text`;
    // Zero has no sign elsewhere.
    case 'float4':
    case 'float8':
      return (column) => `(${column} + 0)::text`;
    case 'bytea':
    case 'uuid':
      return (column) => `replace(ltrim(${column}::text, '\\x'), '-', '')`;
    // Blanks at its end do not count.
    case 'bpchar':
    case 'char':
      return (column) => `${column}::text`;
    case 'jsonb':
      // Numbers by their value: 1.00 is 1.
      return (column) => `${column}::text::jsonb::text`;
    default:
      return asText;
  }
}

const hex = (column: string): string => `HEX(${column})`;

function mysqlKinds(vendor: MysqlVendor, seed: number): readonly Kind[] {
  const random = new Random(seed);
  return columnCases(vendor).map((one): Kind => {
    // Without NULL a TIMESTAMP has a default of its own.
    const definition = /^timestamp/.test(one.definition)
      ? one.definition.replace(/(?: NULL)?$/, ' NULL')
      : one.definition;
    const values = Array.from({ length: 12 }, (_, row) => one.literal(random, row));
    return { definition, values, ...mysqlShown(definition, vendor) };
  });
}

function mysqlShown(definition: string, vendor: MysqlVendor): Pick<Kind, 'shown' | 'normal'> {
  if (/^(?:(?:tiny|small|medium|big)?int|decimal|year)\b/.test(definition))
    return { shown: (column) => `CAST(${column} AS CHAR)`, normal: plainNumber };
  if (/^double/.test(definition))
    return { shown: (column) => `${column} + 0e0`, normal: (text) => String(Number(text)) };
  // Six digits are shown of a float, and all of its double.
  if (/^float/.test(definition))
    return { shown: (column) => `${column} + 0e0`, normal: (text) => String(Math.fround(Number(text))) };
  const bits = /^bit\((\d+)\)/.exec(definition)?.[1];
  if (bits !== undefined) return { shown: (column) => `LPAD(BIN(${column} + 0), ${bits}, '0')` };
  if (/^(?:\w*blob|(?:var)?binary|geometry|point|vector)\b/.test(definition)) return { shown: hex };
  if (definition === 'uuid')
    return { shown: (column, type) => (type === 'uuid' ? `UPPER(REPLACE(${column}, '-', ''))` : hex(column)) };
  if (definition === 'json' && vendor === 'mysql')
    return { shown: (column) => `CAST(${column} AS CHAR)`, normal: document };
  return { shown: (column) => `HEX(CONVERT(${column} USING utf8mb4))` };
}

/** Without the zeros of ZEROFILL and of a scale, and without the sign of zero. */
function plainNumber(text: string): string {
  const [, sign = '', digits = '', fraction = ''] = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  const plain = fraction === '' ? digits : `${digits}.${fraction}`;
  return plain === '0' ? plain : sign + plain;
}

function document(text: string): string {
  return JSON.stringify(sorted(JSON.parse(text)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}
