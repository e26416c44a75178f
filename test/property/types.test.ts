import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { moneyDecimals } from '../../connectors/postgres/money-decimals.ts';
import { normaliser } from '../../connectors/postgres/target/key-form.ts';
import { readTargetTables } from '../../connectors/postgres/target/target-table.ts';
import { readTypes, type ServerType, ValueMaker } from '../support/column-types.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { RouteFile, type RunningRoute } from '../support/route.ts';
import { runDirectory } from '../support/run-directory.ts';
import { randomNumbers, seeds } from '../support/seed.ts';
import { twoServers } from '../support/two-servers.ts';
import { modifiedColumns } from '../support/type-values.ts';
import { type VersionPair, versionPairs } from '../support/version-pairs.ts';

/** Locales in which money has another number of decimals, where the system can make them. */
const locales = ['ja_JP', 'ar_BH'];
const localeFolder = join(runDirectory(), 'locales');
let hasLocales = false;

beforeAll(() => {
  hasLocales = makeLocales();
});
afterAll(() => {
  delete process.env.LOCPATH;
  rmSync(localeFolder, { recursive: true, force: true });
});

function makeLocales(): boolean {
  mkdirSync(localeFolder, { recursive: true });
  try {
    for (const name of locales)
      execFileSync('localedef', ['-c', '-f', 'UTF-8', '-i', name, join(localeFolder, `${name}.UTF-8`)], {
        stdio: 'ignore',
      });
  } catch {
    return false;
  }
  process.env.LOCPATH = localeFolder;
  return true;
}

const extensions = ['citext', 'hstore', 'ltree', 'isn', 'seg', 'cube', 'earthdistance', 'intarray', 'lo', 'pg_trgm'];

const ownTypes = `
  CREATE TABLE "Odd, ""name""" (id int PRIMARY KEY);
  CREATE TYPE mood AS ENUM ('so "so", \\', 'NULL', '', 'ü');
  CREATE DOMAIN cents AS numeric(12,2) CHECK (value <> -1);
  CREATE DOMAIN cents2 AS cents;
  CREATE TYPE pair AS (a text, b int[], "C c" cents2);
  CREATE TYPE nested AS (p pair, ps pair[], m mood, r int4range);
  CREATE DOMAIN digits AS int[];
  CREATE DOMAIN apair AS pair;
  CREATE DOMAIN moods AS mood[];
  CREATE DOMAIN span AS int4multirange;
  CREATE TYPE words AS RANGE (subtype = text);
  CREATE TYPE floats AS RANGE (subtype = float8);
`;

/** Whatever sessions of this role or database find set: none of it may show in what is carried. */
const oddSettings: readonly Readonly<Record<string, string>>[] = [
  {
    TimeZone: 'America/St_Johns',
    DateStyle: 'German',
    IntervalStyle: 'sql_standard',
    bytea_output: 'escape',
    extra_float_digits: '-15',
    xmloption: 'document',
    quote_all_identifiers: 'on',
    array_nulls: 'off',
    client_encoding: 'LATIN1',
    search_path: 'information_schema',
    default_transaction_isolation: 'serializable',
  },
  {
    TimeZone: 'Asia/Kathmandu',
    DateStyle: 'SQL, DMY',
    IntervalStyle: 'iso_8601',
    bytea_output: 'escape',
    extra_float_digits: '-3',
    xmloption: 'document',
    array_nulls: 'off',
    backslash_quote: 'off',
    client_encoding: 'LATIN9',
    search_path: 'nowhere',
    default_transaction_deferrable: 'on',
  },
];

/** How this test writes and reads values. */
const plainSettings = `
  SET search_path = pg_catalog; SET DateStyle = ISO; SET IntervalStyle = postgres; SET TimeZone = UTC; SET lc_monetary = 'C';
  SET extra_float_digits = 1; SET bytea_output = hex; SET xmloption = content; SET client_encoding = UTF8; SET array_nulls = on;
  SET quote_all_identifiers = off; SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off`;

interface TestColumn {
  readonly name: string;
  readonly sql: string;
  readonly values: readonly string[];
  readonly send: string | null;
}

interface TestTable {
  readonly name: string;
  readonly columns: readonly TestColumn[];
}

const literal = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** Binary forms hold oids of types and of what reg types name, which are not the same at both sides. */
function comparableSend(type: ServerType): string | null {
  return type.kind === 'b' && type.element === null && !/\.re[gf]/.test(type.name) ? type.send : null;
}

class TypeRun {
  readonly tables: TestTable[] = [];
  readonly uncarried: string[] = [];
  readonly #random: () => number;
  readonly #client: pg.Client;
  readonly #target: pg.Client;

  readonly #sameVersion: boolean;
  /** Refused, as test/integration/route/versions.test.ts shows. */
  readonly #leavesOutChar: boolean;

  constructor(options: { random: () => number; client: pg.Client; target: pg.Client; versions: VersionPair }) {
    this.#random = options.random;
    this.#client = options.client;
    this.#target = options.target;
    const [from, to] = options.versions;
    this.#sameVersion = from === to;
    this.#leavesOutChar = Number(from) > 14 && to === '14';
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }

  value({ sql, values }: TestColumn): string {
    return values.length === 0 || this.#random() < 0.1 ? 'NULL' : `${literal(this.pick(values))}::${sql}`;
  }

  /** Every type is in a table with others, and is a key of its own where the server can order it. */
  async makeTables(types: ReadonlyMap<string, ServerType>): Promise<void> {
    const maker = new ValueMaker(types, this.#random);
    const columns: Omit<TestColumn, 'name'>[] = modifiedColumns.map(([sql, values]) => ({
      sql,
      values: values(this.#random),
      send: null,
    }));
    for (const [oid, type] of types) {
      const values = maker.values(oid);
      if (values === null) this.uncarried.push(type.sql);
      // Of the row types of catalogues and views some are enough; other versions have other columns there.
      else if (!isCatalogueRow(type, types) || (this.#sameVersion && this.#random() < 0.08))
        columns.push({ sql: type.sql, values, send: comparableSend(type) });
    }
    const carried = columns.filter(({ sql }) => !(this.#leavesOutChar && /\."?_?char"?$/.test(sql)));
    for (const [at, column] of carried.entries()) {
      await this.#makeTable(`k${at}`, [{ ...column, name: 'c0' }, intColumn], 'PRIMARY KEY (c0)');
    }
    const shuffled = carried.map((column) => ({ column, order: this.#random() })).sort((a, b) => a.order - b.order);
    for (let at = 0; at < shuffled.length; ) {
      const next = shuffled.slice(at, at + 1 + Math.floor(this.#random() * 7));
      const list = next.map(({ column }, index) => ({ ...column, name: `c${index}` }));
      const keys = ['PRIMARY KEY (id)', 'PRIMARY KEY (id)', 'UNIQUE (id)', ''];
      await this.#makeTable(`t${at}`, [...list, intColumn], this.pick(keys));
      at += next.length;
    }
  }

  async #makeTable(name: string, columns: readonly TestColumn[], key: string): Promise<void> {
    const list = columns.map((column) => `${column.name} ${column.sql}${column === intColumn ? ' NOT NULL' : ''}`);
    const create = `CREATE TABLE public.${name} (${[...list, key].filter(Boolean).join(', ')});`;
    const statements =
      key === 'PRIMARY KEY (c0)'
        ? // Types without an order refuse the key, some of them only when two values are to be compared.
          `${create} INSERT INTO public.${name} SELECT ${(columns[0]?.values ?? []).length > 0 ? `${literal(columns[0]?.values[0] ?? '')}::${columns[0]?.sql}, i` : 'NULL, i'} FROM generate_series(1, 2) i ON CONFLICT DO NOTHING;
           TRUNCATE public.${name};`
        : create;
    try {
      await this.#client.query(statements);
    } catch (error) {
      if (name.startsWith('k') && ['42704', '42883', '23502'].includes((error as { code?: string }).code ?? '')) return;
      throw error;
    }
    const identity = key.startsWith('UNIQUE')
      ? `ALTER TABLE public.${name} REPLICA IDENTITY USING INDEX ${name}_id_key`
      : key === '' || this.#random() < 0.2
        ? `ALTER TABLE public.${name} REPLICA IDENTITY FULL`
        : '';
    if (identity !== '') await this.#client.query(identity);
    await this.#target.query(create);
    this.tables.push({ name, columns });
  }

  insert({ name, columns }: TestTable, ids: readonly number[]): string {
    const rows = ids.map((id) => `(${columns.map((c) => (c === intColumn ? id : this.value(c))).join(', ')})`);
    return rows
      .map((row) => `INSERT INTO public.${name} VALUES ${row} ON CONFLICT DO NOTHING`)
      .map(forgiving)
      .join(' ');
  }

  change(table: TestTable): string {
    const { name, columns } = table;
    const column = this.pick(columns);
    const one = `ctid = (SELECT ctid FROM public.${name} ORDER BY ctid OFFSET ${Math.floor(this.#random() * 8)} LIMIT 1)`;
    const kind = this.#random();
    if (kind < 0.15) return forgiving(`DELETE FROM public.${name} WHERE ${one}`);
    if (kind < 0.3) return this.insert(table, [Math.floor(this.#random() * 1000)]);
    const value = column === intColumn ? `${Math.floor(this.#random() * 1000)}` : this.value(column);
    return forgiving(`UPDATE public.${name} SET ${column.name} = ${value} WHERE ${one}`);
  }
}

const intColumn: TestColumn = { name: 'id', sql: 'int', values: [], send: 'int4send' };

/** A statement whose row breaks a key, a NOT NULL or the size of an index entry changes nothing. */
function forgiving(statement: string): string {
  return `BEGIN ${statement}; EXCEPTION WHEN unique_violation OR not_null_violation OR program_limit_exceeded THEN NULL; END;`;
}

function isCatalogueRow(type: ServerType, types: ReadonlyMap<string, ServerType>): boolean {
  const row = type.element === null ? type : types.get(type.element);
  return row?.kind === 'c' && !row.name.startsWith('public.');
}

async function inTransaction(client: pg.Client, statements: string): Promise<void> {
  await client.query(`DO $do$ BEGIN ${statements} END $do$`);
}

async function plainClient(database: TestDatabase): Promise<pg.Client> {
  const client = await database.client();
  await client.query(plainSettings);
  return client;
}

/** Of each table the rows as text and, where it does not hold oids, each value in its binary form. */
async function read(client: pg.Client, tables: readonly TestTable[]): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { name, columns } of tables) {
    const binary = columns.flatMap(({ name: column, send }) => (send ? [`encode(${send}(t.${column}), 'hex')`] : []));
    const { rows } = await client.query({
      text: `SELECT concat_ws(' | ', t::text${binary.map((text) => `, ${text}`).join('')}) FROM public.${name} t ORDER BY 1`,
      rowMode: 'array',
    });
    found[name] = rows.map((row: unknown[]) => String(row[0]));
  }
  return found;
}

async function prepare(source: TestDatabase, target: TestDatabase): Promise<void> {
  for (const [database, settings] of [
    [source, oddSettings[0]],
    [target, oddSettings[1]],
  ] as const) {
    for (const extension of extensions) await database.query(`CREATE EXTENSION ${extension}`);
    await database.query(ownTypes);
    const money = hasLocales ? { lc_monetary: database === source ? 'ja_JP.UTF-8' : 'ar_BH.UTF-8' } : {};
    const set = Object.entries({ ...settings, ...money }).map(([name, value]) => `SET ${name} = '${value}'`);
    for (const [at, one] of set.entries())
      await database.query(
        at % 2 === 0
          ? `ALTER DATABASE ${database.name} ${one}`
          : `ALTER ROLE postgres IN DATABASE ${database.name} ${one}`,
      );
    // What a route between vendors asks for, on a session that is told no lc_monetary.
    if (hasLocales) expect(await moneyDecimals(database.node)).toBe(database === source ? 0 : 3);
  }
}

async function freeze(route: RunningRoute, work: () => Promise<void>): Promise<void> {
  const pid = await route.workerPid();
  process.kill(pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

const runs = versionPairs.flatMap(([from, to]) => seeds().map((seed) => [from, to, seed] as const));

describe.for(runs)('PostgreSQL %s to %s, seed %i', ([from, to, seed]) => {
  const servers = twoServers({ version: from }, { version: to });

  test('random rows of every type are the same at both sides: loaded, inserted, updated, found by any key, deleted', {
    timeout: 240_000,
  }, async () => {
    const { source, target } = await servers.pair();
    await prepare(source, target);
    const [writer, reader] = await Promise.all([plainClient(source), plainClient(target)]);
    try {
      const run = new TypeRun({
        random: randomNumbers(seed * 31),
        client: writer,
        target: reader,
        versions: [from, to],
      });
      await run.makeTables(await readTypes(source));
      const { tables } = run;
      for (const table of tables) await inTransaction(writer, run.insert(table, [1, 2, 3, 4, 5, 6]));
      using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
      await using route = file.run();
      await route.state('running', 30_000);
      expect(await read(reader, tables)).toEqual(await read(writer, tables));
      for (const table of tables) await inTransaction(writer, run.insert(table, [11, 12, 13, 14]));
      await route.caughtUp(60_000);
      expect(await read(reader, tables)).toEqual(await read(writer, tables));
      // By itself, and in groups with others.
      for (const table of tables) await inTransaction(writer, `${run.change(table)} ${run.change(table)}`);
      await freeze(route, async () => {
        for (const table of tables) {
          for (let i = 0; i < 3; i++) await inTransaction(writer, run.change(table));
          await inTransaction(writer, Array.from({ length: 4 }, () => run.change(table)).join(' '));
        }
      });
      await route.caughtUp(120_000);
      const end = await read(writer, tables);
      expect(await read(reader, tables)).toEqual(end);
      expect(Object.values(end).flat().length).toBeGreaterThan(tables.length * 4);
    } finally {
      await Promise.all([writer.end(), reader.end()]);
    }
  });

  test('keys are one and the same outside of the server exactly where they are inside of it', async () => {
    const database = await servers.here.createDatabase();
    for (const extension of extensions) await database.query(`CREATE EXTENSION ${extension}`);
    await database.query(ownTypes);
    const client = await plainClient(database);
    try {
      const types = await readTypes(database);
      const maker = new ValueMaker(types, randomNumbers(seed * 17));
      let compared = 0;
      for (const [oid, type] of types) {
        const values = isCatalogueRow(type, types) ? null : maker.values(oid);
        if (values === null || values.length === 0) continue;
        await client.query(`CREATE TABLE public.k (v ${type.sql})`);
        const [table] = await readTargetTables(client, [{ schema: 'public', name: 'k' }]);
        await client.query('DROP TABLE public.k');
        const normalise = table?.columns[0] === undefined ? null : normaliser(table.columns[0]);
        if (normalise === null) continue;
        const list = values.map((value) => `(${literal(value)}::${type.sql})`).join(', ');
        const { rows } = await client.query<{ a: string; b: string; same: boolean }>(
          `SELECT format('%s', a.v) AS a, format('%s', b.v) AS b, a.v = b.v AS same FROM (VALUES ${list}) a (v), (VALUES ${list}) b (v)`,
        );
        for (const { a, b, same } of rows)
          if ((normalise(a) === normalise(b)) !== same) expect.fail(`${type.name}: ${a} and ${b}`);
        compared++;
      }
      expect(compared).toBeGreaterThan(30);
    } finally {
      await client.end();
    }
  });
});
