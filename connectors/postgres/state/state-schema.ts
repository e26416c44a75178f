import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { pause } from '../../../src/core/pause.ts';
import { sqlState } from '../classify-error.ts';

/** Taken by whoever creates, migrates or drops the schema; shared by whoever adds a route to it. */
export const schemaLock = '7381240956120481';

/**
 * What each version adds, in order. A version that was released is never edited.
 *
 * `routes` is locked FOR SHARE by every apply transaction, so that nothing that must not wait for one is kept there:
 * leases and requests have tables of their own. `checkpoints` is insert-only: one row updated again and again bloats
 * under an open snapshot.
 */
const migrations: readonly string[] = [
  `create table tidelock.routes (
     id int generated always as identity primary key,
     key text not null unique,
     epoch bigint not null default 1,
     phase text check (phase in ('creating', 'ready')),
     source jsonb,
     created_at timestamptz not null default now()
   );
   create table tidelock.requests (
     route_id int primary key references tidelock.routes on delete cascade,
     wanted text not null default 'running',
     request bigint not null default 0,
     accept_schema_changes_to text,
     requested_at timestamptz not null default now()
   );
   create table tidelock.leases (
     route_id int primary key references tidelock.routes on delete cascade,
     supervisor text not null,
     host text not null,
     pid int not null,
     claim bigint not null default 1,
     raised bool not null default false,
     expires_at timestamptz not null,
     status jsonb,
     status_at timestamptz
   );
   create table tidelock.checkpoints (
     route_id int not null references tidelock.routes on delete cascade,
     sequence bigint not null,
     position text not null,
     last_commit_position text,
     last_commit_id text,
     stored_at timestamptz not null default now(),
     primary key (route_id, sequence)
   );
   create table tidelock.tables (
     route_id int not null references tidelock.routes on delete cascade,
     source text not null,
     target text not null unique,
     fingerprint text not null,
     primary key (route_id, source)
   );`,
  // Parked transactions (see connectors/sql/parking/parking.ts). Apply sessions may run under the replica role, where foreign
  // keys do nothing: they delete the rows of all tables by themselves.
  `create table tidelock.parked (
     id bigint generated always as identity primary key,
     route_id int not null references tidelock.routes on delete cascade,
     transaction_id text not null,
     position text not null,
     commit_id text not null,
     committed_at_ms float8 not null,
     origin jsonb not null,
     cause text not null,
     code text not null,
     message text not null,
     remedy text not null,
     reason text,
     asked_by text,
     rows bigint not null,
     bytes bigint not null,
     tables jsonb not null,
     incomplete bool not null,
     parked_at timestamptz not null default clock_timestamp(),
     attempts int not null default 0
   );
   create index on tidelock.parked (route_id, id);
   create table tidelock.parked_parts (
     parked_id bigint not null references tidelock.parked on delete cascade,
     part int not null,
     rows int not null,
     changes bytea not null,
     primary key (parked_id, part)
   );
   create table tidelock.parked_keys (
     parked_id bigint not null references tidelock.parked on delete cascade,
     route_id int not null,
     resource text not null,
     exclusive bool not null,
     digest bigint
   );
   create index on tidelock.parked_keys (route_id, resource, digest, parked_id);
   create index on tidelock.parked_keys (route_id, resource, parked_id);
   create index on tidelock.parked_keys (parked_id);
   create table tidelock.skips (
     route_id int primary key references tidelock.routes on delete cascade,
     transaction_id text not null,
     position text,
     cause text not null,
     code text not null,
     message text not null,
     remedy text not null,
     reason text,
     asked_by text,
     asked_at timestamptz not null default now()
   );
   create table tidelock.parking_requests (
     id bigint generated always as identity primary key,
     route_id int not null references tidelock.routes on delete cascade,
     action text not null check (action in ('retry', 'discard')),
     ids bigint[],
     with_earlier bool not null,
     reason text,
     asked_by text not null,
     asked_at timestamptz not null default now(),
     done_at timestamptz,
     waiting bigint[]
   );
   create index on tidelock.parking_requests (route_id) where done_at is null;
   create table tidelock.journal (
     id bigint generated always as identity primary key,
     route_id int not null references tidelock.routes on delete cascade,
     at timestamptz not null default clock_timestamp(),
     action text not null,
     transaction_id text not null,
     position text,
     parked_id bigint,
     request_id bigint,
     code text,
     message text,
     reason text,
     asked_by text
   );
   create index on tidelock.journal (route_id, request_id);`,
  `alter table tidelock.tables add column definition jsonb, add column loaded_to text;`,
  // What operators ask for, with who and why; what a route was last applied with (without secrets), for \`plan\`.
  `alter table tidelock.requests
     add column paused_until timestamptz,
     add column restart bigint not null default 0,
     add column reason text,
     add column asked_by text;
   alter table tidelock.routes
     add column fingerprint text,
     add column applied jsonb,
     add column pending jsonb;
   create table tidelock.actions (
     id bigint generated always as identity primary key,
     route_key text not null,
     at timestamptz not null default clock_timestamp(),
     action text not null,
     asked_by text not null,
     via text not null check (via in ('cli', 'api', 'signal')),
     reason text,
     details jsonb not null default '{}',
     result text not null check (result in ('done', 'refused', 'failed')),
     code text,
     message text
   );
   create index on tidelock.actions (route_key, id);
   alter table tidelock.meta add column compatible int not null default 4;`,
  // A queue under another name that a rename has made, or has left; what was begun and has no result yet.
  `alter table tidelock.routes add column leftover text, add column leftover_at timestamptz;
   alter table tidelock.actions drop constraint actions_result_check,
     add constraint actions_result_check check (result in ('begun', 'done', 'refused', 'failed'));`,
  // Loads, compares and repairs, with what each needs to go on where it was.
  `create table tidelock.jobs (
     id bigint generated always as identity primary key,
     route_id int not null references tidelock.routes on delete cascade,
     kind text not null,
     options jsonb not null,
     state text not null default 'waiting' check (state in ('waiting', 'running', 'paused', 'done', 'failed', 'cancelled')),
     wish text not null default 'run' check (wish in ('run', 'pause', 'cancel')),
     progress jsonb,
     result jsonb,
     reason jsonb,
     asked_by text not null,
     asked_at timestamptz not null default clock_timestamp(),
     begun_at timestamptz,
     ended_at timestamptz,
     attempts int not null default 0
   );
   create index on tidelock.jobs (route_id, id);
   create index on tidelock.jobs (route_id) where ended_at is null;
   create table tidelock.job_steps (
     job_id bigint not null references tidelock.jobs on delete cascade,
     step text not null,
     state jsonb not null,
     primary key (job_id, step)
   );`,
  // Rows as they were before a repair has changed them.
  `create table tidelock.repaired (
     id bigint generated always as identity primary key,
     job_id bigint not null references tidelock.jobs on delete cascade,
     target text not null,
     columns jsonb not null,
     key_columns text[] not null,
     image jsonb not null,
     undone bool not null default false
   );
   create index on tidelock.repaired (job_id, id);`,
  // Tables that are loaded beside the stream: who does not know them would take such a table for complete.
  `create table tidelock.loads (
     route_id int not null references tidelock.routes on delete cascade,
     source text not null,
     targets jsonb not null,
     existing text not null check (existing in ('refuse', 'merge', 'replace')),
     key jsonb not null,
     after jsonb,
     ended bool not null default false,
     again jsonb not null default '[]',
     rows bigint not null default 0,
     bytes bigint not null default 0,
     expected_rows bigint not null,
     expected_bytes bigint not null,
     job bigint,
     begun_at timestamptz not null default clock_timestamp(),
     done_at timestamptz,
     primary key (route_id, source)
   );`,
  // What digests of keys are keyed with, so that nobody can look up by them what the keys are.
  `alter table tidelock.meta add column digest_key text not null default gen_random_uuid()::text;`,
  // Which rows of the target table are the route's, where several routes write it (demand-apart.ts); which table a load has read.
  `alter table tidelock.tables add column owns text;
   alter table tidelock.loads add column table_id text;`,
  // A load of a part of a table, and whether rows that it replaces are still there.
  `alter table tidelock.loads add column part text, add column emptied bool not null default true;`,
];

export const stateVersion = migrations.length;

/**
 * The oldest version whose engines can work with this one: what came later only adds what they may leave alone. So a
 * new engine can stand by beside an old one, and be taken back. Raise it with a migration that they would misread. What only
 * some routes use raises it when it is first used (`raiseCompatible`).
 */
const compatibleVersion = 4;

/** The first version that knows parked transactions: commands also read what an older engine has stored. */
export const parkedSince = 2;

/** The first version that knows who asked for what, pauses that end by themselves, and the operators' journal. */
export const actionsSince = 4;

/** The first version that knows what a rename has left, and actions that were begun. */
export const leftoverSince = 5;

/** From this transaction on engines of before this version refuse the state. */
export async function raiseCompatible(client: pg.Client, version: number): Promise<void> {
  await client.query('update tidelock.meta set compatible = $1 where compatible < $1', [version]);
}

/** The first version that knows tables that are loaded beside the stream. */
export const loadsSince = 8;

/** The first version that knows target tables that several routes write. */
export const sharesSince = 10;

/** The first version that knows loads of a part of a table, and of tables that are emptied bit by bit. */
export const partLoadsSince = 11;

/** The first version that knows jobs. */
export const jobsSince = 6;

/**
 * Null where there is no state. What a newer engine has made, and says that this one can work with, counts as this one's version.
 * Throws where it does not say so.
 */
export async function readStateVersion(client: pg.Client, node: string): Promise<number | null> {
  const { rows } = await client.query<{ there: boolean }>(`select to_regclass('tidelock.meta') is not null as there`);
  return rows[0]?.there ? await readVersionThere(client, node) : null;
}

/** Where the schema was there a moment ago. Throws the server's error (42P01, 3F000) where it is no more. */
export async function readVersionThere(client: pg.Client, node: string): Promise<number> {
  // Engines before version 4 have stored no `compatible`.
  const meta = await client.query<{ version: number; compatible: number }>(
    `select version, coalesce((to_jsonb(meta) ->> 'compatible')::int, version) as compatible from tidelock.meta`,
  );
  const { version = 0, compatible = 0 } = meta.rows[0] ?? {};
  if (compatible > stateVersion) throw fail(routeErrors.stateNewer, { node, found: version, known: stateVersion });
  return Math.min(version, stateVersion);
}

const migrateLockMs = 2_000;
const migrateAttempts = 10;

/**
 * Brings the schema to this engine's version, all in one transaction. Needs a transaction-free client.
 *
 * Another engine may be at work meanwhile: it has to renew its lease within 10 s, and its renewals wait behind ours for a
 * table. So each attempt waits for locks shorter than that.
 */
export async function migrateState(client: pg.Client, node: string, creates = true): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const version = await readStateVersion(client, node);
    if (version === stateVersion || (version === null && !creates)) return;
    try {
      await inTransaction(client, () => migrate(client, node, creates));
    } catch (error) {
      if (sqlState(error) !== '55P03' || attempt === migrateAttempts) throw error;
      await pause(migrateLockMs / 2, new AbortController().signal);
    }
  }
}

async function migrate(client: pg.Client, node: string, creates: boolean): Promise<void> {
  await client.query(`set local lock_timeout = ${migrateLockMs}`);
  await client.query('select pg_advisory_xact_lock($1)', [schemaLock]);
  if (!creates && (await readStateVersion(client, node)) === null) return;
  const { rows } = await client.query<{ there: boolean }>(`select to_regnamespace('tidelock') is not null as there`);
  // Not IF NOT EXISTS: that asks for the privilege to create schemas even where an administrator has made this one.
  if (!rows[0]?.there) await client.query('create schema tidelock');
  let version = await readStateVersion(client, node);
  if (version === null) {
    await client.query('create table tidelock.meta (version int not null)');
    await client.query('insert into tidelock.meta values (0)');
    version = 0;
  }
  // Somebody else was first.
  if (version === stateVersion) return;
  for (const statements of migrations.slice(version)) await client.query(statements);
  await client.query('update tidelock.meta set version = $1, compatible = greatest(compatible, $2)', [
    stateVersion,
    compatibleVersion,
  ]);
}

/**
 * Drops the tables, and the schema where it is empty then and ours; what a newer engine has made is left to it. To be called under the lock, in a
 * transaction.
 */
export async function dropState(client: pg.Client): Promise<void> {
  const meta = await client.query<{ version: number }>('select version from tidelock.meta');
  if ((meta.rows[0]?.version ?? 0) > stateVersion) return;
  await client.query(
    `drop table if exists tidelock.loads, tidelock.repaired, tidelock.job_steps, tidelock.jobs, tidelock.actions, tidelock.journal, tidelock.parking_requests, tidelock.skips, tidelock.parked_keys, tidelock.parked_parts,
       tidelock.parked, tidelock.tables, tidelock.checkpoints, tidelock.leases, tidelock.requests, tidelock.routes,
       tidelock.meta`,
  );
  const { rows } = await client.query<{ droppable: boolean }>(
    `select pg_has_role(nspowner, 'USAGE') and not exists (select from pg_class where relnamespace = n.oid)
       and not exists (select from pg_proc where pronamespace = n.oid) as droppable
     from pg_namespace n where nspname = 'tidelock'`,
  );
  if (rows[0]?.droppable) await client.query('drop schema tidelock');
}

export async function inTransaction<T>(client: pg.Client, run: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await run();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}
