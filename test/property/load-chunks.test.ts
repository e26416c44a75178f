import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cell, type Row, UNCHANGED } from '../../src/core/cell.ts';
import { RowTextReader } from '../../src/core/row-text.ts';
import type { ReadRange, ReadRows } from '../../src/core/source-reader.ts';
import { tableLabel } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { LoadingTables } from '../../src/pipeline/loading-tables.ts';
import { mergeChunk } from '../../src/pipeline/merge-chunk.ts';
import { type ChangedRows, keyText, WatermarkWindows } from '../../src/pipeline/watermark-windows.ts';
import { begin, Reading } from '../integration/collector/reading.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { randomNumbers, seeds } from '../support/seed.ts';
import { until } from '../support/until.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const table = { schema: 'public', name: 'item' };
const label = tableLabel(table);

/** Columns of the key, and a value of it for a number, in SQL: neighbours in one order are far from each other in another. */
const keys: Readonly<
  Record<string, { readonly columns: string; readonly names: readonly string[]; value(n: string): string }>
> = {
  int: { columns: 'k int', names: ['k'], value: (n) => `${n} * 7919 % 1009 - 500` },
  composite: {
    columns: 'j int, k text COLLATE "C"',
    names: ['j', 'k'],
    value: (n) => `${n} % 3, md5((${n})::text)`,
  },
  text: {
    columns: 'k text',
    names: ['k'],
    value: (n) =>
      `(array['a', 'B', 'ä', 'Z', ' ', E'\\\\\\\\', E'\\t', 'b', '-'])[1 + ${n} % 9] || chr(65 + ${n} % 58) || ${n}`,
  },
  icu: {
    columns: 'k text COLLATE "de-x-icu"',
    names: ['k'],
    value: (n) => `(array['a', 'B', 'ä', 'Z', 'ß'])[1 + ${n} % 5] || ${n}`,
  },
  uuid: { columns: 'k uuid', names: ['k'], value: (n) => `md5((${n})::text)::uuid` },
  numeric: { columns: 'k numeric', names: ['k'], value: (n) => `(${n} * 7919 % 1009)::numeric / 8` },
  timestamptz: {
    columns: 'k timestamptz',
    names: ['k'],
    value: (n) => `'2026-03-29 00:59:59.5Z'::timestamptz + ${n} * interval '7919 s'`,
  },
  bytea: { columns: 'k bytea', names: ['k'], value: (n) => `decode(md5((${n})::text), 'hex')` },
  citext: {
    columns: `k citext`,
    names: ['k'],
    value: (n) => `((array['a', 'B', 'c', 'D', '_'])[1 + ${n} % 5] || ${n})::citext`,
  },
};

/** What a target that keeps the rules of a table that is being loaded would hold. */
class Model {
  readonly rows = new Map<string, Row>();
  readonly #key: readonly number[];

  constructor(key: readonly number[]) {
    this.#key = key;
  }

  apply({ changes }: TransactionPart): void {
    for (const change of changes) {
      if (change.kind === 'truncate') this.rows.clear();
      else if (change.kind === 'insert') {
        expect(this.rows.has(this.#of(change.after))).toBe(false);
        this.rows.set(this.#of(change.after), change.after);
      } else if (change.kind === 'delete') this.rows.delete(this.#of(change.before));
      else if (change.kind === 'update') {
        const old = this.#of(change.before ?? change.after);
        const row = this.rows.get(old);
        if (row === undefined) continue;
        this.rows.delete(old);
        const after = change.after.map((cell, at) => (cell === UNCHANGED ? (row[at] as Cell) : cell));
        this.rows.set(this.#of(after), after);
      }
    }
  }

  /** What is there already has to be the same. */
  add(row: Row): void {
    const there = this.rows.get(this.#of(row));
    if (there === undefined) this.rows.set(this.#of(row), row);
    else expect(there).toEqual(row);
  }

  #of(row: Row): string {
    return keyText(this.#key.map((at) => row[at] as Cell));
  }
}

describe.for(seeds())('seed %i', (seed) => {
  test.for(Object.keys(keys))(
    'no row is skipped or doubled by chunks in the order of a key of %s while rows come, go, change and move under them',
    { timeout: 120_000 },
    async (name) => {
      const random = randomNumbers(seed * 31 + name.length);
      const db = await server.createDatabase();
      const key = keys[name] as (typeof keys)[string];
      if (name === 'citext') await db.query(citextLike);
      await db.query(`CREATE TABLE item (${key.columns}, v int, big text, PRIMARY KEY (${key.names.join(', ')}))`);
      await db.query('ALTER TABLE item ALTER big SET STORAGE EXTERNAL');
      await db.query(
        `INSERT INTO item SELECT ${key.value('n')}, n, CASE n % 5 WHEN 0 THEN repeat('x' || n, 1200) END FROM generate_series(1, 300) n`,
      );
      await using queue = await begin(db);
      const windows = new WatermarkWindows();
      const loading = new LoadingTables();
      const columns = [...key.names, 'v', 'big'];
      const model = new Model(key.names.map((_, at) => at));
      const again: string[][] = [];
      await using reading = new Reading({
        ...queue,
        keepParts: false,
        isWatched: () => windows.size > 0,
        onPart: (given) => {
          const part = loading.pass(windows.pass(given));
          model.apply(part);
        },
      });
      // A load of a part of the table leaves the rest as it is.
      const isPart = name === 'int' && random() < 0.6;
      const isLoaded = (row: Row): boolean => !isPart || Number(row[0]) % 2 === 0;
      let isEmptying = true;
      loading.set(label, {
        key: key.names,
        treatment: () => ({ dropped: new Set(), kept: null }),
        isEmptying: () => isEmptying,
        isWhole: true,
        isLoaded: (_, row) => isLoaded(row),
        onAgain: (moved) => again.push([...moved]),
      });
      /** What the stream has ended with is what there is to tell, and nothing waits for it any more. */
      const ended = reading.ended.then(() => Promise.reject(reading.error ?? new Error('the stream has ended')));
      ended.catch(() => {});
      const reader = queue.source.reader();
      const signal = AbortSignal.timeout(100_000);
      expect(await reader.key(table)).toEqual({ columns: key.names });
      await reading.reached(await queue.source.mark());
      let marks = 0;
      // What is replaced is not what the source has.
      const there = await db.query(
        `SELECT array[${columns.map((column) => `${column}::text`).join(', ')}] AS row FROM item`,
      );
      for (const row of there.map((one) => one.row as Row)) {
        const old = [...row.slice(0, -2), 'old', 'old'];
        model.rows.set(keyText(row.slice(0, -2)), isLoaded(row) ? old : row);
      }
      /** Some of the rows that are replaced go. */
      const empty = async (): Promise<void> => {
        const id = `${++marks}`;
        const passed = Promise.withResolvers<void>();
        const close = (part: TransactionPart): TransactionPart => {
          const old = [...model.rows].filter(([, row]) => isLoaded(row));
          for (const [of] of old.slice(0, 60)) model.rows.delete(of);
          if (old.length <= 60) isEmptying = false;
          passed.resolve();
          return part;
        };
        windows.open({ low: id, high: id, tables: new Map(), close });
        await reader.watermark(id, signal);
        await Promise.race([passed.promise, ended]);
      };
      /** One chunk, with whatever happens between its watermarks. */
      const chunk = async (range: ReadRange): Promise<ReadRows> => {
        const [low, high] = [`${++marks}`, `${++marks}`];
        let read: ReadRows | null = null;
        const passed = new Promise<void>((resolve) => {
          windows.open({
            low,
            high,
            tables: new Map([[label, key.names]]),
            close: (part, changed) => {
              if (read === null) throw new Error('the high watermark came before the rows');
              const ofKey = key.names.map((_, at) => at);
              const changes = changed.get(label) as ChangedRows;
              const merged = mergeChunk(read, columns.length, ofKey, changes);
              if (!('text' in merged.untouched)) throw new Error('text became something else');
              const cellsOf = (text: readonly Buffer[]): Row[] =>
                text.flatMap((block) => new RowTextReader(columns.length).read(block));
              const rows = cellsOf(merged.untouched.text);
              expect(rows).toHaveLength(merged.untouched.count);
              // A source whose values are not all text gives rows: the same comes of them.
              const cells = { ...read, text: [], cells: cellsOf(read.text) };
              expect(mergeChunk(cells, columns.length, ofKey, changes)).toEqual({
                untouched: rows,
                touched: merged.touched,
              });
              for (const row of [...rows, ...merged.touched]) model.add(row);
              resolve();
              return part;
            },
          });
        });
        await reader.watermark(low, signal);
        if (random() < 0.5) await setImmediate();
        const request = { table, key: { columns: key.names }, columns, range, low, maxBytes: 20_000 };
        read = await reader.read({ ...request, where: isPart ? { text: 'k % 2 = 0', plain: null } : null }, signal);
        await reader.watermark(high, signal);
        await Promise.race([passed, ended]);
        return read;
      };
      let isOver = false;
      const tally = { changed: 0 };
      // Rows that come behind a TRUNCATE all come in the stream: such a load has little left to lose.
      const truncates = random() < 0.4;
      const writing = writeUntil(db, key, { random, tally, truncates, isOver: () => isOver });
      try {
        while (isEmptying) {
          const enough = tally.changed + 5;
          await until('changes while rows go', () => tally.changed >= enough);
          await empty();
        }
        for (let after: readonly string[] | null = null; ; ) {
          // Else a chunk is read so fast that nothing happens under the load.
          const enough = tally.changed + 5;
          await until('changes under the load', () => tally.changed >= enough);
          const read: ReadRows = await chunk({ kind: 'after', key: after, rows: 5 + Math.floor(random() * 40) });
          after = read.last ?? after;
          if (read.ended) break;
          await moveBack(db, key.names);
        }
      } finally {
        isOver = true;
        await writing;
      }
      await reading.reached(await queue.source.mark());
      while (again.length > 0) await chunk({ kind: 'keys', keys: again.splice(0) });
      await reading.reached(await queue.source.mark());
      await reader.close();

      const { rows } = await (await db.client()).query({
        text: `SELECT ${columns.map((column) => `${column}::text`).join(', ')} FROM item`,
        rowMode: 'array',
      });
      const canonical = (list: Iterable<readonly Cell[]>): string[] =>
        [...list].map((row) => JSON.stringify(row.map((cell) => (cell === null ? null : String(cell))))).sort();
      // The server's text of a test session may be another one: keys are compared by what belongs to them.
      const own = (list: string[]): string[] =>
        list.map((text) => JSON.stringify((JSON.parse(text) as unknown[]).slice(-2)));
      expect(own(canonical(model.rows.values())).sort()).toEqual(own(canonical(rows)).sort());
      expect(model.rows.size).toBe(rows.length);
    },
  );
});

/**
 * Rows that no chunk has read yet take the keys of rows that one has read, while no window is open: one that is logged whole, and one with a value that
 * its update does not log.
 */
async function moveBack(db: TestDatabase, names: readonly string[]): Promise<void> {
  const client = await db.client();
  const key = names.join(', ');
  const order = (direction: string): string => names.map((name) => `${name} ${direction}`).join(', ');
  // What it has locked is free again however it ends: the writer would wait, and the test for that.
  try {
    for (const kind of ['big IS NULL', 'length(big) > 2000']) {
      const gone = `DELETE FROM item WHERE (${key}) = (SELECT ${key} FROM item ORDER BY ${order('ASC')} LIMIT 1) RETURNING ${key}`;
      const last = `SELECT ${key} FROM item WHERE ${kind} ORDER BY ${order('DESC')} LIMIT 1`;
      await client.query('BEGIN; LOCK TABLE item IN SHARE ROW EXCLUSIVE MODE');
      const { rows } = await client.query({ text: gone, rowMode: 'array' });
      const to = names.map((name, at) => `${name} = $${at + 1}`).join(', ');
      if (rows[0] !== undefined) await client.query(`UPDATE item SET ${to} WHERE (${key}) = (${last})`, rows[0]);
      await client.query('COMMIT');
    }
  } finally {
    await client.end();
  }
}

/** Changes of every kind, over all ranges, until the load is over and a while longer. */
async function writeUntil(
  db: TestDatabase,
  key: (typeof keys)[string],
  options: { random: () => number; tally: { changed: number }; truncates: boolean; isOver: () => boolean },
): Promise<void> {
  const { random, tally, truncates, isOver } = options;
  const client = await db.client();
  const names = key.names.join(', ');
  const some = (): number => 1 + Math.floor(random() * 400);
  const where = (n: number): string => `(${names}) = (${key.value(String(n))})`;
  let next = 1000;
  for (let more = 5; more > 0; more -= isOver() ? 1 : 0) {
    // Every fifth row has a value that its updates don't log.
    const n = random() < 0.5 ? some() : 5 * Math.ceil(some() / 5);
    const kind = random();
    const statement =
      kind < 0.3
        ? `UPDATE item SET v = v + 1000 WHERE ${where(n)}`
        : kind < 0.45
          ? `INSERT INTO item SELECT ${key.value(String(n))}, ${++next}, repeat('y' || ${next}, 1200) ON CONFLICT DO NOTHING`
          : kind < 0.6
            ? `DELETE FROM item WHERE ${where(n)}`
            : kind < 0.9
              ? // To keys that few rows have, all over the order.
                `UPDATE item i SET (${names}, v) = (SELECT ${key.value(String(400 + some()))}, i.v + 1) WHERE ${where(n)}`
              : `UPDATE item SET big = 'small' || v WHERE ${where(n)}`;
    tally.changed += await client.query(statement).then(
      ({ rowCount }) => rowCount ?? 0,
      () => 0,
    );
    if (truncates && random() < 0.003)
      await client.query(
        `TRUNCATE item; INSERT INTO item SELECT ${key.value('n')}, n FROM generate_series(1, 300, 2) n`,
      );
  }
  await client.end();
}

/** The extension is in no package of servers: a type as it makes one, whose operators are in another schema than pg_catalog. */
const citextLike = `
  CREATE TYPE citext;
  CREATE FUNCTION citextin(cstring) RETURNS citext AS 'textin' LANGUAGE internal STRICT IMMUTABLE;
  CREATE FUNCTION citextout(citext) RETURNS cstring AS 'textout' LANGUAGE internal STRICT IMMUTABLE;
  CREATE TYPE citext (INPUT = citextin, OUTPUT = citextout, LIKE = text, CATEGORY = 'S', COLLATABLE = true);
  CREATE CAST (citext AS text) WITHOUT FUNCTION AS IMPLICIT;
  CREATE CAST (text AS citext) WITHOUT FUNCTION AS ASSIGNMENT;
  CREATE FUNCTION ci_cmp(citext, citext) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS
    'SELECT pg_catalog.bttextcmp(pg_catalog.lower($1::pg_catalog.text), pg_catalog.lower($2::pg_catalog.text))';
  ${[
    ['lt', '<'],
    ['le', '<='],
    ['eq', '='],
    ['ge', '>='],
    ['gt', '>'],
  ]
    .map(
      ([name, operator]) => `
  CREATE FUNCTION ci_${name}(citext, citext) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT public.ci_cmp($1, $2) ${operator} 0';
  CREATE OPERATOR ${operator} (FUNCTION = ci_${name}, LEFTARG = citext, RIGHTARG = citext);`,
    )
    .join('')}
  CREATE OPERATOR CLASS ci_ops DEFAULT FOR TYPE citext USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 ci_cmp(citext, citext);`;
