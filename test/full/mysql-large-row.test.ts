import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readRows } from '../../connectors/mysql/catalogue/read-rows.ts';
import { canonicalColumn } from '../../connectors/mysql/compare/canonical-text.ts';
import { hashSql } from '../../connectors/mysql/compare/row-hash.ts';
import { connectMysql } from '../../connectors/mysql/connect.ts';
import { LongValues, quotedValue } from '../../connectors/mysql/long-value.ts';
import { parseType } from '../../connectors/mysql/target/column-kind.ts';
import { startMysql } from '../support/mysql.ts';
import { type MysqlVendor, mysqlVendors } from '../support/mysql-binaries.ts';
import { RouteFile } from '../support/route.ts';

const bytes = 48_000_000;
/** One row goes into the log of the engine whole. */
const settings = (vendor: MysqlVendor) => ({
  'max-allowed-packet': '1G',
  ...(vendor === 'mysql' ? { 'innodb-redo-log-capacity': '1G' } : { 'innodb-log-file-size': '512M' }),
});

/**
 * Of the worker, beside what it needs when it rests. Promise 6 says four; text with characters beyond ASCII has two bytes for each in memory, and a load has two rows
 * under way: these are what was measured, and no more.
 */
const times: Readonly<Record<string, number>> = { '0 v': 4, '1 v': 5.5, '2 b': 4.5, '3 l': 6.5, load: 7.5 };

function memory(pid: number): { readonly peak: number; readonly now: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { peak: of('VmHWM'), now: of('VmRSS') };
}

async function twoServers(vendor: MysqlVendor) {
  const start = () => startMysql({ vendor, settings: settings(vendor) });
  const [source, target] = await Promise.all([start(), start()]);
  return {
    source,
    target,
    both: (sql: string) => Promise.all([source.query(sql), target.query(sql)]),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
    },
  };
}

test.each(mysqlVendors)(
  'a row of 48 MB is not in memory more often than it has to be, from %s to itself',
  async (vendor) => {
    await using servers = await twoServers(vendor);
    const { source, target, both } = servers;
    await both(
      'CREATE DATABASE large; CREATE TABLE large.t (id int PRIMARY KEY, v longtext, b longblob, l longtext CHARACTER SET latin1)',
    );
    const values: readonly (readonly [string, string])[] = [
      ['v', `REPEAT('abcdefgh', ${bytes / 8})`],
      ['v', `REPEAT('it''s \\\\ö', ${bytes / 8})`],
      ['b', `REPEAT(x'00ff27', ${bytes / 3})`],
      ['l', `REPEAT('abcdefg\u00e4', ${bytes / 8})`],
    ];
    const found: Record<string, number> = {};
    const route = `tables: ["large.*"]`;
    {
      using file = new RouteFile({ source, target, route, name: `large-${vendor}` });
      await using running = file.run();
      await running.state('running', 60_000);
      const worker = await running.workerPid();
      const { peak: base } = memory(worker);
      for (const [number, [column, value]] of values.entries()) {
        // Forgets the peak so far.
        writeFileSync(`/proc/${worker}/clear_refs`, '5');
        await source.query(`INSERT INTO large.t (id, ${column}) VALUES (${number}, ${value})`);
        await running.caughtUp(120_000);
        found[`${number} ${column}`] = (memory(worker).peak - base) / bytes;
      }
      // All of them once more, with the load of another route.
      await target.query('CREATE DATABASE other; CREATE TABLE other.t LIKE large.t');
      using loads = new RouteFile({
        source,
        target,
        route: 'tables: [{ name: "large.*", to: "other.{table}" }]',
        name: `load-${vendor}`,
      });
      await using loading = loads.run();
      await loading.state('running', 120_000);
      found.load = (memory(await loading.workerPid()).peak - base) / bytes;
    }
    process.stdout.write(`${vendor}, peak by the size of the row: ${JSON.stringify(found)}\n`);
    const sums =
      'SELECT t.id, SHA2(t.v, 256) AS mv, SHA2(t.b, 256) AS mb, SHA2(t.l, 256) AS ml FROM large.t AS t ORDER BY t.id';
    const [here, there] = await both(sums);
    expect(there).toEqual(here);
    for (const [name, ratio] of Object.entries(found)) expect(ratio, name).toBeLessThan(times[name] ?? 0);
  },
);

test('a JSON document of which MySQL gives an empty text is neither read as one nor equal to any', async () => {
  await using server = await startMysql({ vendor: 'mysql', settings: { 'max-allowed-packet': '64M' } });
  const document = `JSON_OBJECT('a', REPEAT('x', 3000000))`;
  await server.query(
    `CREATE DATABASE long_text; CREATE TABLE long_text.t (id int PRIMARY KEY, v json); INSERT INTO long_text.t VALUES (1, ${document});
     SET GLOBAL max_allowed_packet = 1048576`,
  );
  const session = await connectMysql(server.node);
  try {
    const name = { schema: 'long_text', name: 't' };
    const columns = [
      { name: 'id', type: 'int' },
      { name: 'v', type: 'json' },
    ];
    const reading = async (): Promise<void> => {
      for await (const _ of readRows(session, { table: name, columns }, Number.POSITIVE_INFINITY));
    };
    await expect(reading()).rejects.toMatchObject({ code: 'TL-3208', place: { table: 'long_text.t', column: 'v' } });
  } finally {
    session.close();
  }
  const other = await connectMysql(server.node);
  try {
    const type = parseType('json');
    const column = canonicalColumn({ name: 'v', type, typeText: 'json', vendor: 'mysql' });
    expect(await other.query(`SELECT ${hashSql([column], '1')} FROM long_text.t AS t`)).toEqual([[null]]);
  } finally {
    other.close();
  }
});

test('messages of any length near that of a whole packet come as they were sent', async () => {
  await using server = await startMysql({ vendor: 'mysql', settings: settings('mysql') });
  const session = await connectMysql(server.node, { batches: true });
  try {
    const empty = Buffer.byteLength("select length('')");
    // The command's own bytes are among the packet's: five or seven with the header.
    for (let short = -4; short <= 8; short++) {
      const length = 0xff_ff_ff - empty - short;
      const values = new LongValues();
      const statement = values.statement(`select length(${values.mark(quotedValue('x'.repeat(length)))})`);
      const [answer] = await session.batch([statement]);
      expect(answer?.rows).toEqual([[String(length)]]);
    }
  } finally {
    session.close();
  }
});

/** The longest payload of one packet; a longer one, and one of just this length, goes on in the next. */
const packetBytes = 0xff_ff_ff;

test.each(mysqlVendors)(
  'rows whose event, or whose answer, is as long as a packet or nearly so come whole, from %s to itself',
  { timeout: 400_000 },
  async (vendor) => {
    await using servers = await twoServers(vendor);
    const { source, target, both } = servers;
    await both('CREATE DATABASE whole; CREATE TABLE whole.t (id int PRIMARY KEY, b longblob)');
    const insert = (id: number, length: number): Promise<unknown> =>
      source.query(`INSERT INTO whole.t VALUES (${id}, CAST(REPEAT('x', ${length}) AS BINARY))`);
    // What an event of one row has beside the value; in a packet of the binlog a zero is in front.
    const [size, more] = [packetBytes - 1, 100];
    const [file] = await source.query(vendor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
    await insert(0, size - more);
    const events = await source.query(`SHOW BINLOG EVENTS IN '${file?.File}' FROM ${file?.Position}`);
    const sizes = events.map(({ Pos, End_log_pos: end }) => Number(end) - Number(Pos));
    const beside = Math.max(...sizes) - (size - more);
    expect(beside).toBeLessThan(more);
    // An answer has the key's length and digit, and four or nine bytes for the value's length.
    const lengths = [-1, 0, 1].flatMap((off) => [size - beside + off, packetBytes - 2 - 4 + off, packetBytes + off]);
    for (const [at, length] of lengths.entries()) await insert(at + 1, length);
    using routes = new RouteFile({ source, target, route: 'tables: ["whole.*"]\nload: { wholeUpTo: 0B }' });
    await using running = routes.run();
    await running.state('running', 300_000);
    const sums = 'SELECT t.id, LENGTH(t.b) AS n, SHA2(t.b, 256) AS b FROM whole.t AS t ORDER BY t.id';
    await running.caughtUp(120_000);
    const [loaded, there] = await both(sums);
    expect(there).toEqual(loaded);
    await source.query('DELETE FROM whole.t');
    for (const [at, length] of lengths.entries()) await insert(at + 1, length);
    await running.caughtUp(300_000);
    const [streamed, at] = await both(sums);
    expect(at).toEqual(streamed);
    expect(at).toHaveLength(lengths.length);
  },
);
