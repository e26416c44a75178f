import type pg from 'pg';
import { readTables } from '../../../connectors/mysql/catalogue/read-tables.ts';
import { selectValue } from '../../../connectors/mysql/catalogue/select-values.ts';
import { connectMysql } from '../../../connectors/mysql/connect.ts';
import { connectPostgres } from '../../../connectors/postgres/connect.ts';
import type { Row } from '../../../src/core/cell.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { TargetOptions } from '../../../src/core/target.ts';
import { bridgeTable, ColumnRefused } from '../../../src/pipeline/bridge/bridge-table.ts';
import { connectorFor } from '../../../src/registry.ts';
import { MysqlServer } from '../mysql.ts';
import type { RouteEnd } from '../route.ts';
import { randomNumbers } from '../seed.ts';
import { type RingColumn, ringKinds } from './ring-columns.ts';

interface RingTable {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: readonly RingColumn[];
}

/** Columns of one table. */
const tableWidth = 7;
const poolRows = 12;
/** Of them at the start. */
const firstRows = 8;

/**
 * Tables with random columns of every type, keys of several kinds and none, in the schema `ring`, and a pool of their rows beside it, in `pool`. They
 * are made at the first of several databases, go from one to the next, and are compared where they come back to the first one's vendor.
 */
export class RingTables {
  readonly #first: RouteEnd;
  readonly #random: () => number;
  readonly #tables: readonly RingTable[];
  #changes = 0;

  /** `without`: types that a database of the ring has no place for. */
  constructor(first: RouteEnd, seed: number, without = /^$/) {
    this.#first = first;
    this.#random = randomNumbers(seed);
    const kinds = ringKinds(vendorOf(first), seed, this.#random).filter(({ definition }) => !without.test(definition));
    this.#tables = this.#dealt(kinds);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#below(all.length)] as T;
  }

  #dealt(kinds: readonly Omit<RingColumn, 'name'>[]): RingTable[] {
    const left = [...kinds];
    const tables: RingTable[] = [];
    while (left.length > 0) {
      const columns = Array.from({ length: Math.min(tableWidth, left.length) }, (_, at): RingColumn => {
        const [kind] = left.splice(this.#below(left.length), 1);
        return { ...(kind as RingColumn), name: `c${at}` };
      });
      const key = this.#pick([['n'], ['k', 'n'], ['b'], []]);
      tables.push({ name: `t${tables.length}`, key, columns });
    }
    return tables;
  }

  get #isPostgres(): boolean {
    return !(this.#first instanceof MysqlServer);
  }

  async make(): Promise<void> {
    const schema = this.#isPostgres ? 'SCHEMA' : 'DATABASE';
    const own = this.#isPostgres
      ? "CREATE TYPE ring.mood AS ENUM ('a', 'b''c', 'ü,x'); "
      : "USE ring; SET SESSION sql_mode = 'ALLOW_INVALID_DATES'; ";
    await this.#first.query(
      `CREATE ${schema} ring; CREATE ${schema} pool; ${own}${this.#tables.map((one) => this.#made(one)).join(' ')}`,
    );
  }

  #made({ name, key, columns }: RingTable): string {
    const bytes = this.#isPostgres ? 'bytea' : 'varbinary(16)';
    const collate = this.#isPostgres ? '' : ' COLLATE utf8mb4_bin';
    const all = ['n int NOT NULL', `k varchar(20)${collate} NOT NULL`, `b ${bytes} NOT NULL`];
    for (const column of columns) all.push(`${column.name} ${column.definition}`);
    const listed = all.join(', ');
    const primary = key.length === 0 ? '' : `, PRIMARY KEY (${key.join(', ')})`;
    const full = this.#isPostgres && key.length === 0 ? ` ALTER TABLE ring.${name} REPLICA IDENTITY FULL;` : '';
    const rows = Array.from({ length: poolRows }, (_, n) => this.#poolRow(n, columns)).join(', ');
    return `CREATE TABLE ring.${name} (${listed}${primary}); CREATE INDEX ${name}_k ON ring.${name} (k, n DESC);${full}
      CREATE TABLE pool.${name} (${listed}); INSERT ${this.#isPostgres ? '' : 'IGNORE '}INTO pool.${name} VALUES ${rows};`;
  }

  #poolRow(n: number, columns: readonly RingColumn[]): string {
    const values = columns.map(({ values: all }) => {
      if (this.#random() < 0.1) return 'NULL';
      // Each of them once, if there are so many rows.
      return all[n] ?? this.#pick(all);
    });
    const key = `${this.#pick(['k', 'K', 'ä'])}${n}`;
    return `(${n}, '${key}', ${this.#hashed(`'${n}'`)}, ${values.join(', ')})`;
  }

  #hashed(text: string): string {
    return this.#isPostgres ? `decode(md5(${text}), 'hex')` : `UNHEX(LEFT(SHA2(${text}, 256), 32))`;
  }

  /**
   * Takes out of the pool what one of `ends`, whose tables are made by now, has no form for, as the first to the last of them say it: such a value
   * halts a route, which other tests show. What is left has to come back. Then puts the first rows into the tables.
   */
  async fill(ends: readonly RouteEnd[]): Promise<void> {
    for (const table of this.#tables) {
      // Which column tells rows apart is a key's to say; a PostgreSQL without one logs all of them only when it is told to.
      for (const end of table.key.length === 0 ? ends.filter((one) => vendorOf(one) === 'postgres') : [])
        await end.query(`ALTER TABLE ring.${table.name} REPLICA IDENTITY FULL`);
      const refused = await this.#refused(table, [this.#first, ...ends]);
      for (const [column, rows] of refused)
        await this.#first.query(`UPDATE pool.${table.name} SET ${column} = NULL WHERE n IN (${rows.join(', ')})`);
      await this.#first.query(`INSERT INTO ring.${table.name} SELECT * FROM pool.${table.name} WHERE n < ${firstRows}`);
    }
  }

  /** Columns of which `fill` has left no value. */
  async emptied(): Promise<string[]> {
    const found: string[] = [];
    for (const { name, columns } of this.#tables) {
      const counts = columns.map((column) => `count(${column.name}) AS ${column.name}`);
      const [row] = await this.#first.query(`SELECT ${counts.join(', ')} FROM pool.${name}`);
      for (const column of columns) if (Number(row?.[column.name]) === 0) found.push(column.definition);
    }
    return found;
  }

  /** Numbers of rows, by column. */
  async #refused({ name }: RingTable, ends: readonly RouteEnd[]): Promise<Map<string, number[]>> {
    const tables = await Promise.all(ends.map((end) => tableAt(end, name)));
    const legs = ends.slice(1).flatMap((end, at) => {
      const [from, to] = [valuesOf(ends[at] as RouteEnd), valuesOf(end)];
      if (from.family === to.family) return [];
      const columns = tables[at + 1]?.columns ?? [];
      return [bridgeTable(tables[at] as TableVersion, { from, to, columns, conversions: {} })];
    });
    const lacking = legs.flatMap((leg) => leg.refused.map(({ column, reason }) => `${name}.${column}: ${reason}`));
    if (lacking.length > 0) throw new Error(lacking.join('; '));
    const refused = new Map<string, number[]>();
    for (const row of await nativeRows(this.#first, tables[0] as TableVersion)) {
      let left = row;
      for (let column = goes(left); column !== null; column = goes(left)) {
        refused.set(column, [...(refused.get(column) ?? []), Number(row[0])]);
        const at = tables[0]?.columns.findIndex((one) => one.name === column);
        left = left.map((cell, index) => (index === at ? null : cell));
      }
    }
    return refused;

    /** Which column of the row is refused on its way. */
    function goes(row: Row): string | null {
      try {
        legs.reduce((carried, leg) => leg.carry(carried), row);
        return null;
      } catch (error) {
        if (error instanceof ColumnRefused) return error.column;
        throw error;
      }
    }
  }

  /** A transaction of several changes. */
  async change(): Promise<void> {
    const changes = Array.from({ length: 1 + this.#below(5) }, () => this.#oneChange(this.#pick(this.#tables)));
    await this.#first.query(`BEGIN; ${changes.join('; ')}; COMMIT`);
  }

  #oneChange({ name, columns }: RingTable): string {
    const n = this.#below(poolRows);
    const [from, to] = [`pool.${name}`, `ring.${name}`];
    const fresh = 1_000 + ++this.#changes;
    switch (this.#below(5)) {
      case 0:
        return `DELETE FROM ${to} WHERE n = ${n}`;
      case 1: {
        const all = columns.map((column) => `, ${column.name}`).join('');
        return `INSERT INTO ${to} (n, k, b${all}) SELECT ${fresh}, k, ${this.#hashed(`'${fresh}'`)}${all} FROM ${from} WHERE n = ${n}`;
      }
      case 2:
        return `UPDATE ${to} SET k = 'moved', n = ${fresh}, b = ${this.#hashed(`'${fresh}'`)} WHERE n = ${n}`;
      default: {
        const some = columns.filter(() => this.#random() < 0.5).concat(columns.slice(0, 1));
        const names = [...new Set(some.map((column) => column.name))];
        const other = this.#below(poolRows);
        return this.#isPostgres
          ? `UPDATE ${to} SET (${names.join(', ')}) = (SELECT ${names.join(', ')} FROM ${from} WHERE n = ${other}) WHERE n = ${n}`
          : `UPDATE ${to} r JOIN ${from} p ON p.n = ${other} SET ${names.map((one) => `r.${one} = p.${one}`).join(', ')} WHERE r.n = ${n}`;
      }
    }
  }

  /** Values that are not at `last` what they are at the first, by table, row and column. */
  async differences(last: RouteEnd): Promise<string[]> {
    const found: string[] = [];
    for (const table of this.#tables) {
      const [here, there] = [await this.#shown(this.#first, table), await this.#shown(last, table)];
      if (here.size < 2) found.push(`${table.name} has ${here.size} rows`);
      for (const n of new Set([...here.keys(), ...there.keys()])) {
        const [had, has] = [here.get(n), there.get(n)];
        const names = ['k', 'b', ...table.columns.map(({ definition }) => definition)];
        if (had === undefined || has === undefined)
          found.push(`${table.name} ${n}: ${had === undefined ? 'extra' : 'missing'}`);
        else
          for (const [at, name] of names.entries())
            if (had[at] !== has[at]) found.push(`${table.name} ${n} ${name}: ${had[at]} became ${has[at]}`);
      }
    }
    return found;
  }

  async #shown(end: RouteEnd, { name, columns }: RingTable): Promise<Map<string, (string | null)[]>> {
    const types = new Map((await tableAt(end, name)).columns.map((column) => [column.name, column.type]));
    const isArray = (type: string): string => (type.startsWith('pg_catalog._') ? '[]' : type);
    const bytes = this.#isPostgres ? "encode(b, 'hex')" : 'HEX(b)';
    const all = columns.map(
      (column) => `${column.shown(column.name, isArray(types.get(column.name) ?? ''))} AS ${column.name}`,
    );
    const rows = await end.query(`SELECT n, k, ${bytes} AS b, ${all.join(', ')} FROM ring.${name}`);
    return new Map(
      rows.map((row) => {
        const values = columns.map((column) => {
          const value = row[column.name];
          if (value === null || value === undefined) return null;
          return column.normal === undefined ? String(value) : column.normal(String(value));
        });
        return [String(row.n), [String(row.k), String(row.b), ...values]];
      }),
    );
  }
}

function vendorOf(end: RouteEnd) {
  return end instanceof MysqlServer ? end.vendor : 'postgres';
}

function valuesOf(end: RouteEnd) {
  return connectorFor(vendorOf(end)).values;
}

async function tableAt(end: RouteEnd, name: string): Promise<TableVersion> {
  const route = { name: 'ring', to: end.node, allow: [], convert: {} } as unknown as RouteDefinition;
  const target = connectorFor(vendorOf(end)).target({ route } as unknown as TargetOptions);
  const columns = await target.columns({ schema: 'ring', name });
  await target.close();
  return { schema: 'ring', name, identity: 'full', columns: columns.map((column) => ({ ...column, key: false })) };
}

/** The pool's rows as the engine reads them. */
async function nativeRows(end: RouteEnd, { name, columns }: TableVersion): Promise<Row[]> {
  if (!(end instanceof MysqlServer)) {
    const client = await connectPostgres(end.node, { applicationName: 'test' });
    const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
    const { rows } = await client.query<(string | null)[]>({
      text: `SELECT * FROM pool.${name}`,
      types,
      rowMode: 'array',
    });
    await client.end();
    return rows;
  }
  const session = await connectMysql(end.node);
  const [table] = await readTables(session, (schema, one) => schema === 'pool' && one === name);
  const selected = columns.map(({ name: column }) =>
    selectValue(column, table?.columns.find((one) => one.name === column)?.type ?? ''),
  );
  const texts = await session.query(
    `SELECT ${selected.map(({ sql, isBinary }) => (isBinary ? `HEX(${sql})` : sql)).join(', ')} FROM pool.${name}`,
  );
  session.close();
  return texts.map((row) =>
    row.map((text, at) => {
      if (text === null || text === undefined) return null;
      const { isBinary, read } = selected[at] ?? { isBinary: false, read: null };
      if (isBinary) return Buffer.from(text, 'hex');
      return read === null ? text : read(text);
    }),
  );
}
