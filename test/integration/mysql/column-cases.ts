import type mysql from 'mysql2/promise';
import type { Cell } from '../../../src/core/cell.ts';
import type { MysqlVendor } from '../../support/mysql-binaries.ts';

/** A column and its values. */
export interface ColumnCase {
  readonly definition: string;
  /** An expression of SQL; the first few of a column are its edges. */
  literal(random: Random, row: number): string;
  /** What SELECT has to ask for; the column itself where absent. */
  readonly shown?: (column: string) => string;
  /** The cell as it is compared; its text, or of bytes the hexadecimal form. */
  readonly read?: (cell: Cell | undefined) => string | null;
  /** What SELECT shows, as it is compared. */
  readonly normal?: (text: string) => string;
}

/** The same numbers for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

export function textOf(cell: Cell | undefined): string | null {
  if (cell === null) return null;
  if (typeof cell === 'string') return cell;
  if (Buffer.isBuffer(cell)) return cell.toString('hex').toUpperCase();
  return String(cell);
}

const hex = { shown: (column: string) => `HEX(${column})` };
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

function edges(
  definition: string,
  first: readonly string[],
  more: (random: Random) => string,
  rest: Partial<ColumnCase> = {},
): ColumnCase {
  return { definition, literal: (random, row) => first[row] ?? more(random), ...rest };
}

function integer(name: string, bits: number): ColumnCase[] {
  const high = 2n ** BigInt(bits);
  const any = (random: Random): bigint =>
    BigInt.asUintN(bits, BigInt(`0x${random.bytes(8).toString('hex')}`) >> BigInt(random.below(64)));
  return [
    edges(name, ['0', '-1', String(high / 2n - 1n), String(-high / 2n)], (random) =>
      String(BigInt.asIntN(bits, any(random))),
    ),
    edges(`${name} unsigned`, ['0', '1', String(high - 1n), String(high / 2n)], (random) => String(any(random))),
  ];
}

function decimal(precision: number, scale: number, unsigned = false): ColumnCase {
  const digits = (random: Random, length: number): string => Array.from({ length }, () => random.below(10)).join('');
  const nines = `${'9'.repeat(precision - scale)}.${'9'.repeat(scale)}`;
  const first = ['0', nines, ...(unsigned ? [] : [`-${nines}`, `-0.${'0'.repeat(Math.max(scale - 1, 0))}1`])];
  return edges(`decimal(${precision},${scale})${unsigned ? ' unsigned' : ''}`, first, (random) => {
    const whole = digits(random, random.below(precision - scale + 1)) || '0';
    return `${!unsigned && random.below(2) === 0 ? '-' : ''}${whole}.${digits(random, scale)}`;
  });
}

/** SELECT fills numbers up with zeros, which the log does not. */
function zeroFilled(): ColumnCase[] {
  const shown = (column: string): string => `${column} + 0`;
  return [
    edges('int(8) zerofill', ['0', '42', '4294967295'], (random) => String(random.below(1e9)), { shown }),
    edges('bigint zerofill', ['0', '18446744073709551615'], (random) => String(random.below(1e9)), { shown }),
    edges('decimal(12,2) zerofill', ['0', '0.50', '7.00'], (random) => `${random.below(1e6)}.25`, { shown }),
    edges('decimal(2,2) zerofill', ['0', '0.50'], (random) => `0.${two(random.below(100))}`, { shown }),
    edges('decimal(9,0) zerofill', ['0', '100'], (random) => String(random.below(1e9)), { shown }),
  ];
}

const two = (value: number): string => String(value).padStart(2, '0');

function randomDate(random: Random): string {
  const year = String(random.pick([1, 999, 1000, 1970, 2024, 9999, random.below(10_000)])).padStart(4, '0');
  return `${year}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`;
}

function randomClock(random: Random): string {
  return `${two(random.below(24))}:${two(random.below(60))}:${two(random.below(60))}.${String(random.below(1e6)).padStart(6, '0')}`;
}

function temporals(): ColumnCase[] {
  const all: ColumnCase[] = [
    edges(
      'date',
      ["'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-00-00'"],
      (random) => `'${randomDate(random)}'`,
    ),
    edges('year', ["'0000'", '1901', '2155'], (random) => String(1901 + random.below(255))),
  ];
  for (let digits = 0; digits <= 6; digits++) {
    all.push(
      edges(
        `time(${digits})`,
        ["'00:00:00'", "'-838:59:59'", "'838:59:59'", "'-00:00:00.000001'", "'-00:00:01.9'"],
        (random) => {
          const sign = random.below(2) === 0 ? '-' : '';
          return `'${sign}${random.below(838)}:${randomClock(random).slice(3)}'`;
        },
      ),
      edges(
        `datetime(${digits})`,
        ["'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'", "'1000-01-01 00:00:00'"],
        (random) => `'${randomDate(random)} ${randomClock(random)}'`,
      ),
      edges(
        `timestamp(${digits}) NULL`,
        ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"],
        (random) => {
          const moment = new Date(1_000 + random.below(2 ** 31 - 2) * 1_000);
          return `'${moment.toISOString().slice(0, 19).replace('T', ' ')}.${String(random.below(1e6)).padStart(6, '0')}'`;
        },
      ),
    );
  }
  return all;
}

const words = [
  '',
  'a',
  ' padded ',
  "it's",
  'back\\slash',
  'Grüße',
  '日本語',
  '🏠🎉',
  'x'.repeat(40),
  '\u0000nul',
  'line\nend',
  '\u200d',
  'é',
];

function randomText(random: Random): string {
  return Array.from({ length: random.below(4) }, () => random.pick(words)).join('');
}

function texts(): ColumnCase[] {
  const text = (definition: string, limit: number): ColumnCase =>
    edges(definition, ["''", "' '"], (random) => quoted([...randomText(random)].slice(0, limit).join('')));
  return [
    text('char(10)', 10),
    text('char(200)', 200),
    text('varchar(30)', 30),
    text('varchar(400)', 400),
    text('tinytext', 60),
    text('text', 400),
    text('mediumtext', 400),
    edges('longtext', [`REPEAT('x', 100000)`, `REPEAT('ü', 40000)`], (random) => quoted(randomText(random))),
    text('varchar(30) CHARACTER SET latin1', 30),
    text('varchar(30) COLLATE utf8mb4_bin', 30),
  ];
}

function binaries(): ColumnCase[] {
  const some = (definition: string, limit: number): ColumnCase =>
    edges(
      definition,
      ["x''", "x'00'", "x'0000'", "x'20'", "x'ff00'"],
      (random) => `x'${random.bytes(random.below(limit + 1)).toString('hex')}'`,
      hex,
    );
  return [
    some('binary(8)', 8),
    some('binary(255)', 255),
    some('varbinary(20)', 20),
    some('varbinary(300)', 300),
    ...[some('tinyblob', 40), some('blob', 300), some('mediumblob', 300), some('longblob', 300)],
  ];
}

function floating(): ColumnCase[] {
  const view = new DataView(new ArrayBuffer(8));
  const double = (random: Random): number => {
    view.setUint32(0, random.below(2 ** 32));
    view.setUint32(4, random.below(2 ** 32));
    const value = view.getFloat64(0);
    return Number.isFinite(value) ? value : 0;
  };
  const single = (random: Random): number => {
    view.setUint32(0, random.below(2 ** 32));
    const value = view.getFloat32(0);
    return Number.isFinite(value) ? value : 0;
  };
  // SELECT shows six digits of a float, and all of its double.
  const floatText = (text: string): string => String(Math.fround(Number(text)));
  const small = ['0', '1', '-1', '0.1', '1e-10', '123456789012345680', '1e15', '1e16', '-1e-15', '1.5e300'];
  return [
    edges('double', [...small, '1.7976931348623157e308', '4.9406564584124654e-324'], (random) =>
      String(random.below(2) === 0 ? double(random) : random.below(1e9) / 1e3),
    ),
    edges('float', small.slice(0, 9), (random) => String(single(random)), {
      shown: (column) => `${column} + 0e0`,
      read: (cell) => (typeof cell === 'string' ? floatText(cell) : null),
      normal: floatText,
    }),
  ];
}

function chosen(): ColumnCase[] {
  const many = Array.from({ length: 300 }, (_, i) => `'m${i}'`);
  const members = Array.from({ length: 64 }, (_, i) => `s${i}`);
  const setOf = (count: number): ColumnCase =>
    edges(
      `set(${members.slice(0, count).map(quoted).join(',')})`,
      ["''", quoted(members.slice(0, count).join(','))],
      (random) =>
        quoted(
          members
            .slice(0, count)
            .filter(() => random.below(3) === 0)
            .join(','),
        ),
    );
  const bit = (length: number): ColumnCase =>
    edges(
      `bit(${length})`,
      ["b'0'", `b'${'1'.repeat(length)}'`],
      (random) => `b'${Array.from({ length }, () => random.below(2)).join('')}'`,
      {
        shown: (column) => `LPAD(BIN(${column}), ${length}, '0')`,
      },
    );
  return [
    edges("enum('a','b''c','ü,x')", ["'a'"], (random) => random.pick(["'a'", "'b''c'", "'ü,x'"])),
    edges(`enum(${many.join(',')})`, ["'m299'"], (random) => random.pick(many)),
    setOf(3),
    setOf(9),
    setOf(64),
    ...[bit(1), bit(8), bit(9), bit(64)],
  ];
}

const geometries = [
  "ST_GeomFromText('POINT(1 2)')",
  "ST_GeomFromText('POINT(1.5 -2)', 4326)",
  "ST_GeomFromText('LINESTRING(0 0, 1 1, 2 2)')",
  "ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 0))')",
];

/** MySQL's JSON is a binary document; MariaDB's is text. */
function documents(vendor: MysqlVendor): ColumnCase[] {
  if (vendor === 'mariadb') return [edges('json', [], (random) => quoted(randomJson(random, 3)))];
  const first = [
    "'null'",
    "'{}'",
    "'[]'",
    "'[true, false, null, 1, -1, 65536, 4294967296, 18446744073709551615, -9223372036854775808]'",
    "'[1.0, 1e20, 1e15, 1e16, 0.1, -1e-7, 1.5e300, 123456.789]'",
    "JSON_ARRAY(CAST('12345678901234567890.123456789' AS DECIMAL(40, 9)), CAST('-0.5' AS DECIMAL(3, 1)))",
    "JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 't', CAST('-12:34:56.789' AS TIME(6)), 'z', CAST('2024-02-29 01:02:03.5' AS DATETIME(6)))",
    "JSON_ARRAY(CAST(x'00ff' AS BINARY), CAST(REPEAT('b', 200) AS BINARY))",
    "JSON_ARRAY(b'1010')",
    'JSON_ARRAY(NOW(6), YEAR(NOW()))',
    `'["\\\\u0001\\\\n\\\\t\\\\"\\\\\\\\ /\\\\u007f ü 🏠"]'`,
    "CONCAT('[', REPEAT('\"xxxxxxxxxxxxxxxx\",', 6000), '1]')",
    "CONCAT('{\"k\": \"', REPEAT('y', 70000), '\"}')",
  ];
  // What the driver takes for bytes.
  const shown = (column: string): string => `CAST(${column} AS CHAR)`;
  return [edges('json', first, (random) => quoted(randomJson(random, 4)), { shown })];
}

function randomJson(random: Random, depth: number): string {
  const value = (level: number): unknown => {
    const kind = random.below(level === 0 ? 5 : 7);
    if (kind === 0) return random.pick([null, true, false]);
    if (kind === 1) return random.below(2 ** 32) - 2 ** 31;
    if (kind === 2) return (random.below(2 ** 32) - 2 ** 31) / 1024;
    if (kind <= 4) return randomText(random).replaceAll('\u0000', '');
    if (kind === 5) return Array.from({ length: random.below(5) }, () => value(level - 1));
    return Object.fromEntries(
      Array.from({ length: random.below(5) }, (_, i) => [`${'k'.repeat(random.below(4))}${i}`, value(level - 1)]),
    );
  };
  return JSON.stringify(value(depth));
}

/** Only of one vendor. */
function own(vendor: MysqlVendor): ColumnCase[] {
  if (vendor === 'mysql')
    return [
      edges('vector(3)', ["TO_VECTOR('[1, 2, 3]')"], (random) => `TO_VECTOR('[${random.below(9)}, 0.5, -1e10]')`, hex),
    ];
  const compressed = (definition: string): ColumnCase =>
    edges(
      definition,
      ["''", "REPEAT('abc', 300)", "'x'"],
      (random) => `REPEAT(${quoted(randomText(random))}, ${random.below(40)})`,
    );
  const hexOf = (random: Random, length: number): string => random.bytes(length).toString('hex');
  const uuid = (hex: string): string =>
    `'${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')}'`;
  const inet6 = (random: Random): string => {
    const words = Array.from({ length: 8 }, () => (random.below(2) === 0 ? 0 : random.below(65_536)).toString(16));
    return `'${words.join(':')}'`;
  };
  return [
    edges('uuid', ["'00000000-0000-0000-0000-000000000000'", 'UUID()'], (random) => uuid(hexOf(random, 16))),
    edges('inet4', ["'0.0.0.0'", "'255.255.255.0'"], (random) => `'${[...random.bytes(4)].join('.')}'`),
    edges('inet6', ["'::'", "'::1'", "'::ffff:1.2.3.4'", "'::1.2.3.4'", "'1:0:2:3:4:5:6:7'", "'2001:db8::'"], inet6),
    compressed('text COMPRESSED'),
    compressed('varchar(5000) COMPRESSED'),
    edges(
      'blob COMPRESSED',
      ["''", "REPEAT(x'00ff', 300)"],
      (random) => `x'${random.bytes(random.below(300)).toString('hex')}'`,
      hex,
    ),
  ];
}

export function columnCases(vendor: MysqlVendor): ColumnCase[] {
  return [
    ...[
      integer('tinyint', 8),
      integer('smallint', 16),
      integer('mediumint', 24),
      integer('int', 32),
      integer('bigint', 64),
    ].flat(),
    ...[
      decimal(1, 0),
      decimal(9, 0),
      decimal(10, 2),
      decimal(18, 9),
      decimal(20, 20),
      decimal(65, 30),
      decimal(12, 5, true),
      decimal(65, 0),
    ],
    ...zeroFilled(),
    ...floating(),
    ...temporals(),
    ...chosen(),
    ...texts(),
    ...binaries(),
    ...documents(vendor),
    edges('geometry', [], (random) => random.pick(geometries), hex),
    edges('point', [], (random) => random.pick(geometries.slice(0, 2)), hex),
    ...own(vendor),
    // Behind all others: the log counts signs and charsets by the columns that have one.
    ...integer('int', 32),
    ...texts().slice(-2),
  ];
}

/** Scripts that charsets are made for, and what all have. */
const ranges: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0xa0, 0x17f],
  [0x384, 0x3ce],
  [0x400, 0x45f],
  [0x5d0, 0x5ea],
  [0x621, 0x64a],
  [0xe01, 0xe5b],
  [0x10d0, 0x10f0],
  [0x531, 0x587],
  [0x3041, 0x30fe],
  [0x4e00, 0x9fa0],
  [0xac00, 0xd7a3],
  [0xff61, 0xff9f],
  [0x2000, 0x2200],
];

/** A column for each charset, with random characters; what a charset lacks becomes a question mark at the server. */
export async function charsetCases(connection: mysql.Connection, vendor: MysqlVendor): Promise<ColumnCase[]> {
  const [rows] = await connection.query(
    'SELECT character_set_name AS name FROM information_schema.character_sets ORDER BY 1',
  );
  const names = (rows as { readonly name: string }[]).map(({ name }) => name);
  return names
    .filter((name) => name !== 'binary' && !notRead[vendor].includes(name))
    .map((name) =>
      edges(`varchar(40) CHARACTER SET ${name}`, ["''", `'\\\\~'`], (random) => {
        const [low, high] = random.pick(ranges);
        const characters = Array.from({ length: random.below(30) }, () => low + random.below(high - low + 1));
        return quoted(String.fromCodePoint(...characters));
      }),
    );
}

/** docs/connectors/mysql.md names them. */
const notRead: Readonly<Record<MysqlVendor, readonly string[]>> = { mysql: ['gb18030'], mariadb: [] };
