import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTables } from '../../connectors/mysql/catalogue/read-tables.ts';
import { selectValue } from '../../connectors/mysql/catalogue/select-values.ts';
import { canonicalColumn, canonicalTexts as canonicalMysql } from '../../connectors/mysql/compare/canonical-text.ts';
import { hashSql } from '../../connectors/mysql/compare/row-hash.ts';
import { connectMysql, type MysqlSession } from '../../connectors/mysql/connect.ts';
import { literalKind, parseType } from '../../connectors/mysql/target/column-kind.ts';
import { valueLiteral } from '../../connectors/mysql/target/value-literal.ts';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import {
  canonicalHash,
  canonicalTexts as canonicalPostgres,
} from '../../connectors/postgres/compare/canonical-text.ts';
import { connectPostgres } from '../../connectors/postgres/connect.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import type { CanonicalText } from '../../src/core/compare-side.ts';
import { carry } from '../../src/core/types/carry.ts';
import type { Conversions } from '../../src/core/types/conversions.ts';
import { type Condition, ValueRefused } from '../../src/core/types/value-refused.ts';
import type { ColumnCodec, NativeValue } from '../../src/core/types/vendor-types.ts';
import { type ColumnCase, columnCases, Random } from '../integration/mysql/column-cases.ts';
import { type MysqlServer, startMysql } from '../support/mysql.ts';
import { type MysqlVendor, mysqlVendors } from '../support/mysql-binaries.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { randomNumbers, seed, seeds } from '../support/seed.ts';
import { valuesOfType } from '../support/type-values.ts';

/** A column of one server, whose values come and go as the engine reads and writes them. */
interface Column {
  readonly codec: ColumnCodec;
  /** In the order of the rows. */
  read(): Promise<(NativeValue | null)[]>;
  write(values: readonly (NativeValue | null)[]): Promise<void>;
  /** What the server can hash its values by, for a compare. */
  readonly canonical: readonly CanonicalText[];
  /** Likewise in the order of the rows. */
  hashes(text: CanonicalText): Promise<string[]>;
}

let tables = 0;

const hashSeed = '4711';
/** Texts that were compared: all that there are, at the end. */
const hashed = new Set<string>();

const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

let postgres: PostgresServer;
let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  postgres = await startPostgres();
  database = await postgres.createDatabase();
  client = await connectPostgres(database.node, { applicationName: 'test' });
});
afterAll(async () => {
  await client.end();
  await postgres[Symbol.asyncDispose]();
});

async function postgresColumn(definition: string): Promise<Column> {
  const table = `public.t${++tables}`;
  await client.query(`CREATE TABLE ${table} (n serial, c ${definition})`);
  const { rows } = await client.query<{ type: string; modifier: number }>(
    `SELECT n.nspname || '.' || t.typname AS type, a.atttypmod AS modifier FROM pg_attribute a
     JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE attrelid = $1::regclass AND attname = 'c'`,
    [table],
  );
  const type = rows[0] as { type: string; modifier: number };
  return {
    codec: postgresTypes.codec(type),
    canonical: canonicalPostgres(type, false),
    hashes: async (canonical) => {
      const hash = canonicalHash([{ name: 'c', type: type.type, canonical }], hashSeed);
      const found = await client.query<{ hash: string }>(`SELECT ${hash}::text AS hash FROM ${table} ORDER BY n`);
      return found.rows.map((row) => BigInt.asUintN(64, BigInt(row.hash)).toString());
    },
    read: async () =>
      (await client.query({ text: `SELECT c FROM ${table} ORDER BY n`, types: asText })).rows.map(({ c }) => c),
    write: async (values) => {
      for (const value of values) await client.query(`INSERT INTO ${table} (c) VALUES ($1)`, [value]);
    },
  };
}

async function mysqlColumn(session: MysqlSession, definition: string): Promise<Column> {
  const table = `t${++tables}`;
  await session.query(`CREATE TABLE d.${table} (n int PRIMARY KEY AUTO_INCREMENT, c ${definition})`);
  const [found] = await readTables(session, (_, name) => name === table);
  const type = found?.columns[1]?.type ?? '';
  const { sql, isBinary, read } = selectValue('c', type);
  const kind = literalKind(parseType(type));
  const vendor: MysqlVendor = session.node.type === 'mysql' ? 'mysql' : 'mariadb';
  const described = { name: 'c', type: parseType(type), typeText: found?.columns[1]?.typeText ?? '', vendor };
  return {
    codec: mysqlTypes.codec({ type, modifier: -1 }),
    canonical: canonicalMysql(parseType(type)),
    hashes: async () => {
      const hash = hashSql([canonicalColumn(described)], hashSeed);
      return (await session.query(`SELECT ${hash} FROM d.${table} AS t ORDER BY n`)).map(([text]) => text ?? '');
    },
    read: async () =>
      (await session.query(`SELECT ${isBinary ? `HEX(${sql})` : sql} FROM d.${table} ORDER BY n`)).map(([text]) => {
        if (text === null || text === undefined) return null;
        if (isBinary) return Buffer.from(text, 'hex');
        return read === null ? text : (read(text) as string);
      }),
    write: async (values) => {
      for (const value of values)
        await session.query(`INSERT INTO d.${table} (c) VALUES (${valueLiteral(value, kind)})`);
    },
  };
}

interface Carried {
  readonly refused: ReadonlySet<Condition>;
  /** What went there and came back. */
  readonly carried: number;
}

/** Everything that the one column holds goes to the other, is there what it should be, and comes back as it was. */
async function thereAndBack(from: Column, to: Column, conversions: Conversions): Promise<Carried> {
  const way = carry(from.codec.type, to.codec.type, conversions);
  const back = carry(to.codec.type, from.codec.type, conversions);
  if (way.kind === 'refused') throw new Error(way.reason);
  const refused = new Set<Condition>();
  const sent: { had: NativeValue; value: NativeValue; row: number }[] = [];
  for (const [row, had] of (await from.read()).entries()) {
    if (had === null) continue;
    try {
      const value = convert(had, from.codec, to.codec, way.step);
      if (value !== null) sent.push({ had, value, row });
    } catch (error) {
      if (!(error instanceof ValueRefused)) throw error;
      expect(way.conditions).toContain(error.condition);
      refused.add(error.condition);
    }
  }
  await to.write(sent.map(({ value }) => value));
  const there = await to.read();
  const isJson = to.codec.type.kind === 'json' && to.codec.type.form !== 'text';
  const normal = (value: NativeValue | null): unknown => (isJson ? JSON.parse(value as string) : shown(value));
  expect(there.map(normal)).toEqual(sent.map(({ value }) => normal(value)));
  if (way.converted.length === 0) await expectEqualHashes(from, to, sent);
  if (back.kind === 'refused' || way.converted.length > 0) return { refused, carried: sent.length };
  for (const [index, value] of there.entries()) {
    let came: NativeValue | null;
    try {
      came = convert(value as NativeValue, to.codec, from.codec, back.step);
    } catch (error) {
      // Numbers that only SQL puts into MySQL's JSON, and the year 0000, which a 0 is not.
      expect(['json', 'range']).toContain((error as ValueRefused).condition);
      continue;
    }
    // What the canonical form leaves out (zeros at the end of a number without a scale, the order of keys) comes back as that form has it.
    expect(shown(came)).toEqual(shown(convert(sent[index]?.had ?? '', from.codec, from.codec, null)));
  }
  return { refused, carried: sent.length };
}

/** Both servers compute the same hash of the same value, and another one of each other value. */
async function expectEqualHashes(
  from: Column,
  to: Column,
  sent: readonly { readonly had: NativeValue; readonly row: number }[],
): Promise<void> {
  const common = to.canonical.find((text) => from.canonical.includes(text));
  if (common === undefined) return;
  const [here, there] = [await from.hashes(common), await to.hashes(common)];
  const values = sent.map(({ had }) => shown(from.codec.toCanonical === null ? had : from.codec.toCanonical(had)));
  expect(there).toEqual(sent.map(({ row }) => here[row]));
  expect(new Set(there).size).toBe(new Set(values).size);
  hashed.add(common.replace(/ \d+$/, ''));
}

function convert(
  value: NativeValue,
  from: ColumnCodec,
  to: ColumnCodec,
  step: ((value: NativeValue) => NativeValue | null) | null,
): NativeValue | null {
  const canonical = from.toCanonical === null ? value : from.toCanonical(value);
  const carried = step === null ? canonical : step(canonical);
  return carried === null || to.fromCanonical === null ? carried : to.fromCanonical(carried);
}

function shown(value: NativeValue | null): string | null {
  return Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : value;
}

/** What a column of MySQL's becomes. */
function postgresTypeFor(definition: string, vendor: MysqlVendor): string | null {
  const [, base = '', size = ''] = /^([a-z]+)(\([0-9,]+\))?/.exec(definition) ?? [];
  const unsigned = /unsigned/.test(definition);
  const types: Readonly<Record<string, string>> = {
    tinyint: 'int2',
    smallint: unsigned ? 'int4' : 'int2',
    mediumint: 'int4',
    int: unsigned ? 'int8' : 'int4',
    bigint: unsigned ? 'numeric(20,0)' : 'int8',
    decimal: `numeric${size}`,
    date: 'date',
    year: 'int2',
    time: `time${size}`,
    datetime: `timestamp${size}`,
    timestamp: `timestamptz${size}`,
    char: `char${size}`,
    varchar: `varchar${size}`,
    double: 'float8',
    float: 'float4',
    enum: 'text',
    set: 'text',
    bit: `bit${size}`,
    json: vendor === 'mysql' ? 'jsonb' : 'json',
    geometry: 'bytea',
    point: 'bytea',
    uuid: 'uuid',
  };
  if (/text$/.test(base)) return 'text';
  if (/blob$|binary$/.test(base)) return 'bytea';
  return types[base] ?? null;
}

/** What a column of PostgreSQL's becomes, and the values of which type it gets where that is another. */
const mysqlTypesFor: readonly (readonly [type: string, mysql: string, conversions?: Conversions])[] = [
  ['bool', 'tinyint(1)'],
  ['bool', 'bit(1)'],
  ['int2', 'smallint'],
  ['int4', 'mediumint unsigned'],
  ['int8', 'bigint'],
  ['int8', 'double'],
  ['oid', 'int unsigned'],
  ['numeric', 'decimal(65,30)'],
  ['numeric', 'decimal(10,2)', { precision: 'round', special: 'toNull' }],
  ['float4', 'float'],
  ['float4', 'double'],
  ['float8', 'double'],
  ['float8', 'float'],
  ['text', 'longtext'],
  ['text', 'varchar(5) CHARACTER SET latin1'],
  ['varchar', 'tinytext'],
  ['bytea', 'longblob'],
  ['bytea', 'varbinary(3)'],
  ['date', 'date'],
  ['time', 'time(6)'],
  ['time', 'time(2)', { fraction: 'round' }],
  ['timestamp', 'datetime(6)'],
  ['timestamptz', 'timestamp(6) NULL'],
  ['timestamptz', 'datetime(6)', { zone: '+05:30' }],
  ['interval', 'varchar(200)'],
  ['uuid', 'binary(16)'],
  ['uuid', 'char(36)'],
  ['json', 'longtext'],
  ['jsonb', 'longtext'],
  ['money', 'decimal(19,2)'],
  ['inet', 'varchar(60)'],
  ['_int4', 'longtext'],
  ['_text', 'longtext'],
];

const mysqlOnly: typeof mysqlTypesFor = [
  ['jsonb', 'json'],
  ['json', 'json', { json: 'normalize' }],
  ['_int4', 'json'],
  ['_text', 'json'],
  ['_bool', 'json'],
  ['_float8', 'json'],
  ['_numeric', 'json'],
];

describe.each(mysqlVendors)('%s and PostgreSQL', (vendor) => {
  let server: MysqlServer;
  let session: MysqlSession;
  beforeAll(async () => {
    server = await startMysql({ vendor });
    await server.query('CREATE DATABASE d');
    session = await connectMysql(server.node);
    await session.query(
      "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'",
    );
  });
  afterAll(async () => {
    session.close();
    await server[Symbol.asyncDispose]();
  });

  const cases = columnCases(vendor).flatMap((one): (readonly [string, string, ColumnCase])[] => {
    const to = postgresTypeFor(one.definition, vendor);
    return to === null ? [] : [[one.definition.slice(0, 60), to, one]];
  });

  test.each(cases)('%s goes to %s and comes back', async (_, to, one) => {
    const random = new Random(seed);
    const from = await mysqlColumn(
      session,
      one.definition.replace(/ NULL$/, '') + (/^timestamp/.test(one.definition) ? ' NULL' : ''),
    );
    const table = `t${tables}`;
    for (let row = 0; row < 40; row++)
      await session.query(`INSERT IGNORE INTO d.${table} (c) VALUES (${one.literal(random, row)})`);
    const there = await postgresColumn(to);
    const { carried } = await thereAndBack(from, there, {});
    expect(carried).toBeGreaterThan(0);
    // Bytes do not say what they were: a geometry is one again where they are written into it.
    if (to === 'bytea')
      expect((await thereAndBack(there, await mysqlColumn(session, one.definition), {})).carried).toBe(carried);
  });

  const back = vendor === 'mysql' ? [...mysqlTypesFor, ...mysqlOnly] : mysqlTypesFor;
  test.each<[string, string, Conversions]>(back.map(([type, to, conversions = {}]) => [type, to, conversions]))(
    '%s goes to %s and comes back',
    async (type, to, conversions) => {
      const from = await postgresColumn(type.startsWith('_') ? `${type.slice(1)}[]` : type);
      for (const one of seeds()) await fill(from, type, one);
      const { carried } = await thereAndBack(from, await mysqlColumn(session, to), conversions);
      expect(carried).toBeGreaterThan(0);
    },
  );
});

test('each text by which both can hash was compared', () => {
  const all = ['bits', 'bytes', 'date', 'number', 'text', 'time', 'timestamp', 'timestamptz', 'uuid'];
  expect([...hashed].sort()).toEqual(all);
});

async function fill(column: Column, type: string, of: number): Promise<void> {
  const random = randomNumbers(of);
  const scalar = type.replace(/^_/, '');
  const values = [...(valuesOfType[`pg_catalog.${scalar}`]?.(random) ?? [])];
  expect(values.length, scalar).toBeGreaterThan(0);
  if (scalar === type) await column.write(values);
  else {
    const quoted = values.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`);
    await column.write([
      `{${quoted.join(',')},NULL}`,
      '{}',
      `{{${quoted[0]},NULL},{${quoted[1]},${quoted[0]}}}`,
      `[0:0]={${quoted[0]}}`,
    ]);
  }
}
