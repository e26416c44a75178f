import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureDdl } from '../../../connectors/postgres/source/ddl-capture.ts';
import { prepareQueue } from '../../../connectors/postgres/source/prepare-queue.ts';
import { readPublication } from '../../../connectors/postgres/source/publication.ts';
import { queueNames } from '../../../connectors/postgres/source/queue-names.ts';
import { readTableFacts } from '../../../connectors/postgres/source/table-facts.ts';
import { TableWatch } from '../../../connectors/postgres/source/table-watch.ts';
import { readPublished } from '../../../connectors/postgres/source/untold-facts.ts';
import { judgeRoom } from '../../../src/core/queue-room.ts';
import { routeKey } from '../../../src/core/route.ts';
import type { TableFacts } from '../../../src/core/table-facts.ts';
import { untoldChange } from '../../../src/pipeline/untold-changes.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { versions } from '../../support/postgres-binaries.ts';
import { until } from '../../support/until.ts';
import { begin, Reading, routeOf, sourceOf } from './reading.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const signal = () => AbortSignal.timeout(60_000);

async function all(db: TestDatabase, sql: string): Promise<string[]> {
  return (await db.query(sql)).map((row) => String(Object.values(row)[0]));
}

test('snapshot and stream meet without a gap and without an overlap, while others write', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text)');
  const source = sourceOf(routeOf(db));
  const writers = Array.from({ length: 4 }, async () => {
    const client = await db.client();
    for (let i = 0; i < 300; i++) await client.query(`INSERT INTO item (t) VALUES ('x')`);
    await client.end();
  });
  const snapshot = await source.createQueue(signal(), async () => {});
  const [table] = snapshot.tables;
  if (table === undefined) throw new Error('no table');
  const ids: unknown[] = [];
  for await (const rows of snapshot.read(table, signal())) ids.push(...rows.map(([id]) => id));
  expect(await snapshot.sizeBytes()).toBeGreaterThan(0);
  await snapshot.close();
  const start = { position: snapshot.position, lastCommit: null };
  await using reading = new Reading({ source, stored: snapshot.source, start });
  await Promise.all(writers);
  await reading.reached(await source.mark());
  ids.push(...reading.rows.map(([id]) => id));
  expect(ids.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 1200 }, (_, i) => i + 1));
  await reading.stop();
  await source.dropQueue();
  await source.dropQueue();
  expect(await all(db, `SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`)).toEqual([]);
  expect(await all(db, 'SELECT pubname FROM pg_publication')).toEqual([]);
});

test('making the queue again drops what an interrupted start left, even where a session still reads it', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await using queue = await begin(db);
  await using reading = new Reading(queue);
  await reading.until(() => reading.parts.length > 0);
  const again = await queue.source.createQueue(signal(), async () => {});
  await again.close();
  await reading.ended;
  expect(reading.error).toMatchObject({ recovery: 'retry' });
  // It is a route's own: nobody prepares a copy with it.
  const request = { copiedAt: null, by: 'test' };
  await expect(prepareQueue(queue.route, request, signal())).rejects.toMatchObject({ code: 'TL-3116' });
  expect((await queue.source.status()).queue).toBe('idle');
});

test('an abort ends the making of a queue that waits for an open transaction', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  const client = await db.client();
  await client.query('BEGIN; INSERT INTO item VALUES (1)');
  const source = sourceOf(routeOf(db));
  const stop = new AbortController();
  const making = source.createQueue(stop.signal, async () => {}).catch((error) => error);
  const slots = 'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()';
  await until('a slot', async () => (await all(db, slots)).length > 0);
  stop.abort(new Error('enough'));
  expect(await making).toMatchObject({ message: 'enough' });
  await client.end();
  await source.dropQueue();
});

test('partitions come under the name of their root, in the snapshot as in the stream', async () => {
  const db = await server.createDatabase();
  await db.query(`CREATE TABLE root (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
    CREATE TABLE leaf1 PARTITION OF root FOR VALUES IN (1); CREATE TABLE leaf2 PARTITION OF root FOR VALUES IN (2);
    CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (extra int, PRIMARY KEY (id)) INHERITS (parent);
    INSERT INTO root VALUES (1, 1), (2, 2); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 2)`);
  const source = sourceOf(routeOf(db));
  const snapshot = await source.createQueue(signal(), async () => {});
  expect(snapshot.tables.map(({ name }) => name)).toEqual(['child', 'parent', 'root']);
  const read: Record<string, number> = {};
  for (const table of snapshot.tables)
    for await (const rows of snapshot.read(table, signal())) read[table.name] = (read[table.name] ?? 0) + rows.length;
  expect(read).toEqual({ child: 1, parent: 1, root: 2 });
  await snapshot.close();
  const start = { position: snapshot.position, lastCommit: null };
  await using reading = new Reading({ source, stored: snapshot.source, start });
  await db.query('UPDATE root SET part = 2 WHERE id = 1');
  await db.query('INSERT INTO child VALUES (3, 3)');
  await reading.reached(await source.mark());
  const changes = reading.parts.flatMap((part) => part.changes);
  expect(changes.flatMap((c) => ('table' in c && c.table !== null ? [`${c.kind} ${c.table.name}`] : []))).toEqual([
    'delete root',
    'insert root',
    'insert child',
  ]);
  await reading.stop();
  await source.dropQueue();
});

test('a hypertable of TimescaleDB is refused: its rows are logged under other names', async () => {
  const db = await server.createDatabase();
  await db.query(`CREATE TABLE measured (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY);
    CREATE SCHEMA _timescaledb_catalog; CREATE TABLE _timescaledb_catalog.hypertable (schema_name name, table_name name);
    INSERT INTO _timescaledb_catalog.hypertable VALUES ('public', 'measured')`);
  const found = await sourceOf(routeOf(db)).preflight();
  expect(found.filter(({ level }) => level === 'error')).toMatchObject([
    { code: 'source.hypertable', table: 'public.measured' },
  ]);
});

test('a table that is logged no more, of a publication of all tables, is told by a look at the catalogue; one that never was is no new table', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE t (id int PRIMARY KEY)');
  const told: string[] = [];
  const watch = new TableWatch({
    publication: 'mine',
    isNew: (_, name) => name === 'fast',
    isCarried: (_, name) => name === 't',
    onNewTables: (tables) => told.push(`new ${tables}`),
    onTouched: (tables) => told.push(`touched ${tables}`),
  });
  const client = await db.client();
  try {
    await watch.look(client);
    await db.query('ALTER TABLE t SET UNLOGGED; CREATE UNLOGGED TABLE fast (id int PRIMARY KEY)');
    await watch.look(client);
    expect(told).toEqual(['touched public.t', 'touched public.t']);
    expect(await readTableFacts(client, [{ schema: 'public', name: 't' }])).toMatchObject([{ unlogged: ['public.t'] }]);
    await db.query('CREATE PUBLICATION mine FOR ALL TABLES');
    await watch.look(client);
    const facts = async (isOwned: boolean): Promise<TableFacts[]> => {
      const [t] = await readTableFacts(client, [{ schema: 'public', name: 't' }]);
      const published = t && (await readPublished(client, { name: 'mine', isOwned }, [t])).get(t.id);
      return t && published !== undefined ? [{ ...t, published }] : [];
    };
    const before = [await facts(false), await facts(true)];
    await db.query(`ALTER PUBLICATION mine SET (publish = 'insert')`);
    await db.query(`ALTER PUBLICATION mine SET (publish = 'insert, update, delete, truncate')`);
    await watch.look(client);
    expect(told.splice(2)).toEqual(['touched public.t', 'touched public.t']);
    // A route alters its own by itself.
    const after = [await facts(false), await facts(true)];
    const changes = before.map(([was], at) => untoldChange(was ?? {}, after[at]?.[0] ?? {}, () => true));
    expect(changes).toEqual([expect.stringContaining('publication mine was altered'), null]);
  } finally {
    await client.end();
  }
});

test('the preflight names what keeps the route from running, with the statement', async () => {
  const db = await server.createDatabase();
  await db.query(`CREATE TABLE good (id int PRIMARY KEY); CREATE TABLE keyless (id int);
    CREATE UNLOGGED TABLE fast (id int PRIMARY KEY); CREATE VIEW seen AS SELECT 1 AS one;
    DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN`);
  const base = routeOf(db);
  const tables = { ...base.tables, exact: [{ schema: 'public', name: 'gone' }] };
  const found = await sourceOf({ ...base, tables }).preflight();
  expect(found.map(({ level, code, table }) => `${level} ${code} ${table ?? ''}`.trim()).sort()).toEqual([
    'error source.replicaIdentity public.keyless',
    'error source.tableMissing public.gone',
    'info source.keepSize',
    'warning source.notCarried public.fast',
    'warning source.notCarried public.seen',
  ]);
  const settings = { ...db.node.connection(), user: 'weak' };
  const weak = await sourceOf({ ...base, from: { ...db.node, connection: () => settings } }).preflight();
  expect(weak.filter(({ level }) => level === 'error').map(({ code }) => code)).toEqual([
    'source.replicationPrivilege',
    'source.createPrivilege',
    'source.replicaIdentity',
    'source.tableOwner',
    'source.tableOwner',
  ]);
  // They are a superuser's: nobody is told to make one of the engine's user.
  expect(weak.filter(({ code }) => code === 'source.tableOwner').map(({ statement }) => statement)).toEqual([
    undefined,
    undefined,
  ]);
});

test('a queue that waits for a COMMIT that waits for the route says so, and is made when the name is out', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  const route = routeOf(db);
  const source = sourceOf(route);
  const awaited = async (): Promise<unknown> =>
    (await source.preflight()).find(({ code }) => code === 'source.awaited') ?? null;
  const admin = await db.client();
  await admin.query('SET synchronous_commit = local');
  const standby = async (names: string): Promise<void> => {
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await admin.query('SELECT pg_reload_conf()');
  };
  expect(await awaited()).toBeNull();
  try {
    await standby(`ANY 1 ("${routeKey(route).toUpperCase()}")`);
    await until('the finding', async () => (await awaited()) !== null);
    expect(await awaited()).toMatchObject({ level: 'warning', statement: expect.stringContaining(`= ''`) });
    const held = db.query('INSERT INTO item VALUES (1)');
    await until('the COMMIT', async () => {
      const { rows } = await admin.query(
        `SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()`,
      );
      return rows.length === 1;
    });
    await expect(source.createQueue(signal(), async () => {})).rejects.toMatchObject({ code: 'TL-3121' });
    await standby('');
    await held;
    const snapshot = await source.createQueue(signal(), async () => {});
    await snapshot.close();
  } finally {
    await standby('');
    await admin.end();
    await source.dropQueue();
  }
});

test('a walsender that cannot be ended yet is waited for, not halted at', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await using queue = await begin(db);
  await using reading = new Reading(queue);
  await reading.reached(await queue.source.mark());
  const [row] = await db.query(
    'SELECT active_pid AS pid FROM pg_replication_slots WHERE database = current_database() AND active',
  );
  process.kill(Number(row?.pid), 'SIGSTOP');
  try {
    const making = queue.source.createQueue(signal(), async () => {});
    await expect(making).rejects.toMatchObject({ code: 'TL-3104', recovery: 'retry' });
  } finally {
    process.kill(Number(row?.pid), 'SIGCONT');
  }
}, 40_000);

test('where the session that holds the snapshot has ended, the load is tried again', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  const source = sourceOf(routeOf(db));
  const snapshot = await source.createQueue(signal(), async () => {});
  const [table] = snapshot.tables;
  if (table === undefined) throw new Error('no table');
  await db.query('ALTER TABLE item RENAME TO other');
  const renamed = snapshot.read(table, signal())[Symbol.asyncIterator]();
  await expect(renamed.next()).rejects.toMatchObject({
    code: 'TL-3205',
    place: { table: 'public.item', position: snapshot.position, sqlState: '42P01' },
  });
  await source.endQueueSessions();
  const reading = snapshot.read(table, signal())[Symbol.asyncIterator]();
  await expect(reading.next()).rejects.toMatchObject({ code: 'TL-5001', recovery: 'retry' });
  await expect(snapshot.discard()).rejects.toThrow();
  await snapshot.close();
  expect((await source.status()).queue).toBe('idle');
  await source.dropQueue();
});

test('DDL commands are not told of where the user may not make event triggers, and nothing is left of the attempt', async () => {
  const db = await server.createDatabase();
  const client = await db.client();
  await client.query(`CREATE ROLE plain; GRANT CREATE ON DATABASE ${db.name} TO plain; SET ROLE plain`);
  const route = routeOf(db, { ddl: 'replicate' });
  await expect(captureDdl(client, route)).rejects.toMatchObject({
    code: 'TL-3115',
    remedy: expect.stringContaining('tidelock check'),
  });
  await client.end();
  expect(await db.query(`SELECT FROM pg_namespace WHERE nspname = 'tidelock'`)).toEqual([]);
});

test('a slot of the same name in another database of the server is left alone, and so is who reads it', async () => {
  const [db, other] = await Promise.all([server.createDatabase(), server.createDatabase()]);
  for (const each of [db, other]) await each.query('CREATE TABLE item (id int PRIMARY KEY)');
  await using queue = await begin(db);
  await using reading = new Reading(queue);
  await db.query('INSERT INTO item VALUES (1)');
  await reading.reached(await queue.source.mark());
  const namesake = sourceOf({ ...routeOf(other), name: queue.route.name });
  await expect(namesake.createQueue(signal(), async () => {})).rejects.toMatchObject({ code: 'TL-3103' });
  await namesake.endQueueSessions();
  await namesake.dropQueue();
  await db.query('INSERT INTO item VALUES (2)');
  await reading.reached(await queue.source.mark());
  expect(reading.rows).toEqual([['1'], ['2']]);
});

test('a given queue is used from its confirmed position and never dropped', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await db.query('CREATE PUBLICATION theirs FOR ALL TABLES');
  await db.query(`SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')`);
  const given = routeOf(db, { given: { slot: 'theirs', publication: 'theirs' } });
  const source = sourceOf(given);
  await expect(source.createQueue(signal(), async () => {})).rejects.toMatchObject({ code: 'TL-3204' });
  await expect(prepareQueue(given, { copiedAt: null, by: 'test' }, signal())).rejects.toMatchObject({
    code: 'TL-3117',
  });
  const position = await source.queuePosition();
  if (position === null) throw new Error('no position');
  await db.query('INSERT INTO item VALUES (1)');
  {
    await using reading = new Reading({
      source,
      stored: await source.identity(),
      start: { position, lastCommit: null },
    });
    await reading.reached(await source.mark());
    expect(reading.rows).toEqual([['1']]);
  }
  await db.query(`ALTER PUBLICATION theirs SET (publish = 'insert')`);
  expect((await source.preflight()).map(({ code }) => code)).toContain('source.publication');
  await source.dropQueue();
  expect(await all(db, 'SELECT pubname FROM pg_publication')).toEqual(['theirs']);
  expect((await source.status()).queue).toMatch(/idle|active/);
  await db.query(
    `SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = 'theirs' AND active`,
  );
  await db.query(`SELECT pg_drop_replication_slot('theirs')`);
});

/** PostgreSQL 14 has no filters in publications, and no schemas. */
const filters = versions[0] === '14' ? [] : ['rows', 'columns'];

test('what a publication has is told as pg_publication_tables tells it, also of tables that somebody has locked', async () => {
  const database = await server.createDatabase();
  await database.query(`CREATE SCHEMA other; CREATE TABLE plain (id int PRIMARY KEY); CREATE TABLE other.child () INHERITS (plain);
    CREATE UNLOGGED TABLE light (id int); CREATE VIEW seen AS SELECT 1; CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9) PARTITION BY RANGE (id); CREATE TABLE other.leaf PARTITION OF part DEFAULT;
    CREATE TABLE spare PARTITION OF whole DEFAULT`);
  const wanted = ['ALL TABLES', 'TABLE plain, whole', 'TABLE plain, part, other.leaf', 'TABLE ONLY plain, whole, part'];
  if (filters.length > 0) wanted.push('TABLES IN SCHEMA public', 'TABLES IN SCHEMA other, TABLE whole');
  const names: string[] = [];
  for (const list of wanted)
    for (const viaRoot of [true, false]) {
      const name = `p${names.length}`;
      names.push(name);
      await database.query(`CREATE PUBLICATION ${name} FOR ${list} WITH (publish_via_partition_root = ${viaRoot})`);
    }
  // PostgreSQL 14 tells a partition twice that is there by itself and by its parent.
  const view = await database.query(
    `SELECT pubname AS name, array_agg(DISTINCT schemaname || '.' || tablename ORDER BY schemaname || '.' || tablename)::text[] AS tables FROM pg_publication_tables GROUP BY 1`,
  );
  const locker = await database.client();
  const client = await database.client();
  try {
    await locker.query('BEGIN; LOCK TABLE plain, whole IN ACCESS EXCLUSIVE MODE');
    await client.query(`SET lock_timeout = '1s'`);
    for (const [at, name] of names.entries()) {
      const found = [...((await readPublication(client, name))?.tables.keys() ?? [])].sort();
      expect([wanted[Math.floor(at / 2)], found]).toEqual([
        wanted[Math.floor(at / 2)],
        view.find((row) => row.name === name)?.tables ?? [],
      ]);
    }
  } finally {
    await Promise.all([locker.end(), client.end()]);
  }
});

test.for(filters)('a publication that filters %s is refused', async (publication) => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY, t text)');
  await db.query('CREATE TABLE other (id int PRIMARY KEY, t text)');
  const options = 'WITH (publish_via_partition_root = true)';
  await db.query(`CREATE PUBLICATION rows FOR TABLE item WHERE (id > 1), other ${options}`);
  await db.query(`CREATE PUBLICATION columns FOR TABLE item (id), other ${options}`);
  const source = sourceOf(routeOf(db, { given: { slot: 'none', publication } }));
  const messages = (await source.preflight()).map(({ message }) => message).join();
  expect(messages).toContain('filters rows or columns of public.item');
  expect(messages).toContain('the given replication slot none does not exist');
});

const alterations: readonly (readonly [string, string, string])[] = [
  ['loses a table', 'ALTER PUBLICATION p DROP TABLE item', 'TL-3111 it does not contain public.item'],
  ['leaves deletes out', `ALTER PUBLICATION p SET (publish = 'insert, update')`, 'TL-3111 it does not publish delete'],
  ...(filters.length === 0
    ? []
    : [
        [
          'gets a filter',
          'ALTER PUBLICATION p SET TABLE item WHERE (id > 1), other',
          'TL-3111 it filters rows or columns of public.item',
        ] as const,
      ]),
  ['is dropped', 'DROP PUBLICATION p', 'TL-3110'],
];

test.for(alterations)(
  'a publication that %s while the route streams ends the stream',
  async ([, statement, expected]) => {
    const db = await server.createDatabase();
    await db.query(
      'CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY); CREATE TABLE gone (id int PRIMARY KEY)',
    );
    const queue = await begin(db);
    const name = queueNames(queue.route).publication;
    const carried = ['item', 'other', 'gone'].map((table) => ({ label: `public.${table}`, known: null, from: null }));
    await using reading = new Reading({ ...queue, carried, heartbeatMs: 20 });
    const beats = (): number =>
      reading.parts.flatMap(({ changes }) => changes.filter(({ kind }) => kind === 'heartbeat')).length;
    // What is gone, or is not the route's, is not missed.
    await db.query('DROP TABLE gone; CREATE TABLE unknown (id int PRIMARY KEY)');
    const before = beats();
    await reading.until(() => beats() > before + 25);
    await db.query(statement.replace(' p', ` "${name}"`));
    await reading.ended;
    const [code, why = ''] = expected.split(/ (.*)/);
    expect(reading.error).toMatchObject({ code, recovery: 'halt', message: expect.stringContaining(why) });
  },
);

test('a slot that the server is about to drop WAL for is told while it is, and the stream ends once it has', async () => {
  await using own = await startPostgres({ settings: { max_slot_wal_keep_size: '64MB', max_wal_size: '1GB' } });
  const db = await own.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY, t text)');
  const queue = await begin(db);
  const now = async () => {
    const [slot] = await db.query('SELECT wal_status FROM pg_replication_slots');
    const { room = null } = await queue.source.status();
    return [slot?.wal_status, room?.limitBytes, judgeRoom(room)];
  };
  const set = async (name: string, value: string) => {
    await db.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    await db.query('SELECT pg_reload_conf()');
    await until(name, async () => (await all(db, `SHOW ${name}`))[0] === value);
  };
  expect(await now()).toEqual(['reserved', 2 ** 26, null]);
  // Four whole files of WAL, and a part of the last one that is kept.
  for (let file = 0; file < 4; file++)
    await db.query(`SELECT pg_logical_emit_message(false, 'test', 'x'), pg_switch_wal()`);
  await db.query(`SELECT pg_logical_emit_message(false, 'test', repeat('x', 6000000))`);
  expect(await now()).toEqual(['reserved', 2 ** 26, 'warning']);
  await set('max_wal_size', '32MB');
  expect(await now()).toEqual(['extended', 2 ** 26, 'warning']);
  await set('max_slot_wal_keep_size', '1MB');
  expect(await now()).toEqual(['unreserved', 2 ** 20, 'critical']);
  await db.query('CHECKPOINT');
  expect((await queue.source.status()).queue).toBe('lost');
  await using reading = new Reading(queue);
  await reading.ended;
  expect(reading.error).toMatchObject({ code: 'TL-3101', recovery: 'resynchronise' });
});

test('a table that was made while new tables were ignored stays what it is at the target, whatever newTables is when it is dropped', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  const [item] = await db.query(`SELECT 'item'::regclass::oid::text AS id`);
  await using begun = await begin(db, { ddl: 'replicate', newTables: 'ignore' });
  await db.query('CREATE TABLE theirs (id int); CREATE TABLE first (id int)');
  await db.query('DROP TABLE first');
  const { route, stored, start } = begun;
  const later = { ...route, newTables: 'load' as const };
  const client = await db.client();
  const triggers = 'SELECT oid::text, xmin::text FROM pg_event_trigger ORDER BY 1';
  const before = await db.query(triggers);
  await captureDdl(client, later);
  // Others would look as if commands had gone untold for a while.
  expect(await db.query(triggers)).toEqual(before);
  await client.query('CREATE TABLE ours (id int)');
  await client.query('DROP TABLE theirs');
  await client.query('DROP TABLE ours');
  await client.query('INSERT INTO item VALUES (1)');
  await client.end();
  // Each command is taken as it was when it was given: by a route that is set otherwise by now, too.
  for (const [as, dropped] of [
    [later, ['ours']],
    [route, []],
  ] as const) {
    const known = { schema: 'public', name: 'item', id: String(item?.id) };
    await using reading = new Reading({
      source: sourceOf(as),
      stored,
      start,
      carried: [{ label: 'public.item', from: null, known }],
      acknowledge: false,
    });
    await reading.until(() => reading.rows.length === 1);
    const commands = reading.parts.flatMap(({ changes }) => changes.filter((change) => change.kind === 'ddl'));
    const told = (kept: boolean) =>
      commands.filter(({ tag, leftOut }) => tag === 'CREATE TABLE' && leftOut === kept).map(({ name }) => name);
    expect({ left: told(true), made: told(false) }).toEqual({ left: ['theirs', 'first'], made: ['ours'] });
    expect(commands.flatMap((one) => one.dropped.map(({ name }) => name))).toEqual(dropped);
  }
});
