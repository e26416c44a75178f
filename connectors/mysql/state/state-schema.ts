import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { errnoOf } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { makeSignals, ownDatabase } from '../own-database.ts';

/**
 * What each version adds, in order. A version that was released is never edited. Every statement commits by itself, so that each can be given again:
 * whoever died between two of them has left a version that is made once more.
 *
 * `routes` is locked by every apply transaction in share mode, so that nothing that must not wait for one is kept there: leases and requests have tables
 * of their own. `checkpoints` is insert-only. Times are milliseconds since 1970 by the server's clock; documents are JSON as text, which both vendors
 * give back as it was.
 */
const migrations: readonly (readonly string[])[] = [
  [
    `create table if not exists tidelock.routes (
       id int not null auto_increment primary key,
       route_key varchar(64) not null,
       registration varchar(36) not null,
       epoch bigint not null default 1,
       phase varchar(8),
       source longtext,
       fingerprint varchar(190),
       applied longtext,
       pending longtext,
       leftover varchar(190),
       leftover_at_ms bigint,
       unique key routes_key (route_key)
     )`,
    `create table if not exists tidelock.requests (
       route_id int not null primary key,
       wanted varchar(16) not null default 'running',
       request bigint not null default 0,
       accept_schema_changes_to longtext,
       paused_until_ms bigint,
       restart bigint not null default 0,
       reason text,
       asked_by text,
       constraint requests_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    `create table if not exists tidelock.leases (
       route_id int not null primary key,
       supervisor varchar(190) not null default '',
       host varchar(255) not null default '',
       pid int not null default 0,
       claim bigint not null default 0,
       raised tinyint not null default 0,
       expires_at_ms bigint not null default 0,
       status longtext,
       status_at_ms bigint,
       constraint leases_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    `create table if not exists tidelock.checkpoints (
       route_id int not null,
       sequence bigint not null,
       position longtext not null,
       last_commit_position longtext,
       last_commit_id varchar(255),
       stored_at datetime(6) not null default current_timestamp(6),
       primary key (route_id, sequence),
       constraint checkpoints_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    `create table if not exists tidelock.tables (
       route_id int not null,
       source varchar(300) not null,
       target varchar(300) not null,
       fingerprint varchar(190) not null,
       definition longtext,
       loaded_to longtext,
       primary key (route_id, source),
       unique key tables_target (target),
       constraint tables_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    `create table if not exists tidelock.actions (
       id bigint not null auto_increment primary key,
       route_key varchar(64) not null,
       at datetime(6) not null,
       action varchar(64) not null,
       asked_by text not null,
       via varchar(8) not null,
       reason text,
       details longtext not null,
       result varchar(8) not null,
       code varchar(16),
       message text,
       key actions_route (route_key, id)
     )`,
    `create table if not exists tidelock.jobs (
       id bigint not null auto_increment primary key,
       route_id int not null,
       kind varchar(16) not null,
       options longtext not null,
       state varchar(16) not null default 'waiting',
       wish varchar(8) not null default 'run',
       progress longtext,
       result longtext,
       reason longtext,
       asked_by text not null,
       asked_at datetime(6) not null,
       begun_at datetime(6),
       ended_at datetime(6),
       attempts int not null default 0,
       key jobs_route (route_id, id),
       constraint jobs_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    `create table if not exists tidelock.job_steps (
       job_id bigint not null,
       step varchar(190) not null,
       state longtext not null,
       primary key (job_id, step),
       constraint job_steps_job foreign key (job_id) references tidelock.jobs (id) on delete cascade
     )`,
  ],
  [
    `create table if not exists tidelock.loads (
       route_id int not null,
       source varchar(300) not null,
       targets longtext not null,
       existing varchar(8) not null,
       key_columns longtext not null,
       bound longtext,
       ended tinyint not null default 0,
       again longtext,
       row_count bigint not null default 0,
       byte_count bigint not null default 0,
       expected_rows bigint not null,
       expected_bytes bigint not null,
       job bigint,
       table_id varchar(300),
       done tinyint not null default 0,
       begun_at datetime(6) not null default current_timestamp(6),
       primary key (route_id, source),
       constraint loads_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
  ],
  [
    `create table if not exists tidelock.secrets (
       one tinyint not null primary key,
       digest_key varchar(64) not null
     )`,
    `create table if not exists tidelock.repaired (
       id bigint not null auto_increment primary key,
       job_id bigint not null,
       target varchar(300) not null,
       columns longtext not null,
       key_columns longtext not null,
       image longtext not null,
       undone tinyint not null default 0,
       key repaired_job (job_id, id),
       constraint repaired_job foreign key (job_id) references tidelock.jobs (id) on delete cascade
     )`,
  ],
  // Parked transactions (see connectors/sql/parking/parking.ts). A stored piece is cut into chunks that the server takes in one message.
  [
    `create table if not exists tidelock.parked (
       id bigint not null auto_increment primary key,
       route_id int not null,
       transaction_id varchar(255) not null,
       position longtext not null,
       commit_id varchar(255) not null,
       committed_at_ms double not null,
       origin longtext not null,
       cause varchar(16) not null,
       code varchar(16) not null,
       message text not null,
       remedy text not null,
       reason text,
       asked_by text,
       row_count bigint not null,
       byte_count bigint not null,
       tables longtext not null,
       incomplete tinyint not null,
       parked_at_ms bigint not null,
       attempts int not null default 0,
       key parked_route (route_id, id),
       constraint parked_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    `create table if not exists tidelock.parked_parts (
       parked_id bigint not null,
       part int not null,
       chunk int not null,
       row_count int not null,
       changes longblob not null,
       primary key (parked_id, part, chunk),
       constraint parked_parts_parked foreign key (parked_id) references tidelock.parked (id) on delete cascade
     )`,
    `create table if not exists tidelock.parked_keys (
       id bigint not null auto_increment primary key,
       parked_id bigint not null,
       route_id int not null,
       resource text not null,
       is_exclusive tinyint not null,
       digest bigint,
       key parked_keys_digest (route_id, digest, parked_id),
       key parked_keys_parked (parked_id),
       constraint parked_keys_parked foreign key (parked_id) references tidelock.parked (id) on delete cascade
     )`,
    `create table if not exists tidelock.skips (
       route_id int not null primary key,
       transaction_id varchar(255) not null,
       position longtext,
       cause varchar(16) not null,
       code varchar(16) not null,
       message text not null,
       remedy text not null,
       reason text,
       asked_by text,
       constraint skips_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    `create table if not exists tidelock.parking_requests (
       id bigint not null auto_increment primary key,
       route_id int not null,
       action varchar(8) not null,
       ids longtext,
       with_earlier tinyint not null,
       reason text,
       asked_by text not null,
       done_at_ms bigint,
       waiting longtext,
       key parking_requests_route (route_id, id),
       constraint parking_requests_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    `create table if not exists tidelock.journal (
       id bigint not null auto_increment primary key,
       route_id int not null,
       at datetime(6) not null default current_timestamp(6),
       action varchar(16) not null,
       transaction_id varchar(255) not null,
       position longtext,
       parked_id bigint,
       request_id bigint,
       code varchar(16),
       message text,
       reason text,
       asked_by text,
       key journal_request (route_id, request_id),
       constraint journal_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
  ],
  // Loads whose old rows go bit by bit: `loads.existing` says so.
  [],
  // What is about to be done to a target table by a statement that commits by itself (see target/evolve-table.ts).
  [
    `create table if not exists tidelock.evolutions (
       route_id int not null,
       source varchar(300) not null,
       target varchar(300) not null,
       was longtext not null,
       steps longtext not null,
       outcome longtext not null,
       begun_at datetime(6) not null default current_timestamp(6),
       primary key (route_id, source),
       constraint evolutions_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
  ],
  // Targets that several routes write: `tables.target` is NULL of them, since it is unique.
  [
    `create table if not exists tidelock.shares (
       route_id int not null,
       source varchar(300) not null,
       target varchar(300) not null,
       owns longtext not null,
       primary key (route_id, source),
       constraint shares_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
    'alter table tidelock.tables modify target varchar(300) null',
  ],
  // Loads of a part of their table.
  [
    `create table if not exists tidelock.load_parts (
       route_id int not null,
       source varchar(300) not null,
       part longtext not null,
       primary key (route_id, source),
       constraint load_parts_route foreign key (route_id) references tidelock.routes (id) on delete cascade
     )`,
  ],
];

/** From this version on engines know tables that lack rows. */
export const loadsSince = 2;

/** The first version that knows parked transactions. */
export const parkedSince = 4;

/** The first version that knows loads of tables that are emptied bit by bit. */
export const emptyingSince = 5;

/** The first version that knows definitions that follow the source's commands. */
export const evolvingSince = 6;

/** The first version that knows targets that several routes write. */
export const sharesSince = 7;

/** The first version that knows loads of a part of a table. */
export const partsSince = 8;

export const stateVersion = migrations.length;

/** The oldest version whose engines can work with this one. */
const compatibleVersion = 1;

const settings = ' engine = InnoDB character set utf8mb4 collate utf8mb4_bin';

/** Taken by whoever makes, migrates or drops the state, and by whoever adds a route to it. */
const stateLock = 'tidelock.state';
const lockSeconds = 20;

/** ER_NO_SUCH_TABLE, ER_BAD_DB. */
const missing: ReadonlySet<number> = new Set([1146, 1049]);

export function isMissing(error: unknown): boolean {
  return missing.has(errnoOf(error) ?? 0);
}

/** Null where there is no state. Throws where a newer engine has made one that this one can't work with. */
export async function readStateVersion(session: MysqlSession, node: string): Promise<number | null> {
  try {
    const [row] = await session.query('select version, compatible from tidelock.meta');
    if (row === undefined) return null;
    const [version, compatible] = row.map(Number);
    if ((compatible ?? 0) > stateVersion)
      throw fail(routeErrors.stateNewer, { node, found: version ?? 0, known: stateVersion });
    return Math.min(version ?? 0, stateVersion);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** One after the other: DDL can't be part of a transaction here. */
export async function underStateLock<T>(session: MysqlSession, node: string, run: () => Promise<T>): Promise<T> {
  const [row] = await session.query('select get_lock(?, ?)', [stateLock, lockSeconds]);
  if (row?.[0] !== '1') throw fail(routeErrors.stateLocked, { node });
  try {
    return await run();
  } finally {
    await session.query('select release_lock(?)', [stateLock]).catch(() => {});
  }
}

/** Brings the state to this engine's version; each step may have been done before. */
export async function migrateState(session: MysqlSession, node: string, creates: boolean): Promise<void> {
  const version = await readStateVersion(session, node);
  if (version === stateVersion || (version === null && !creates)) return;
  await underStateLock(session, node, async () => {
    const found = await readStateVersion(session, node);
    if (found === stateVersion || (found === null && !creates)) return;
    await makeSignals(session);
    for (const statements of migrations.slice(found ?? 0))
      for (const statement of statements)
        await session.query(statement.startsWith('create') ? statement + settings : statement);
    await session.query(
      `create table if not exists tidelock.meta (one tinyint not null primary key, version int not null, compatible int not null)${settings}`,
    );
    await session.query(
      'insert into tidelock.meta values (1, ?, ?) on duplicate key update version = ?, compatible = greatest(compatible, ?)',
      [stateVersion, compatibleVersion, stateVersion, compatibleVersion],
    );
  });
}

/** In the transaction from which on an older engine would misread the state. */
export async function raiseCompatible(session: MysqlSession, version: number): Promise<void> {
  await session.change('update tidelock.meta set compatible = ? where compatible < ?', [version, version]);
}

const tables = [
  ...['journal', 'parking_requests', 'skips', 'parked_keys', 'parked_parts', 'parked', 'secrets', 'repaired'],
  ...[
    'shares',
    'evolutions',
    'load_parts',
    'loads',
    'job_steps',
    'jobs',
    'actions',
    'tables',
    'checkpoints',
    'leases',
    'requests',
  ],
  'routes',
];

/**
 * What the last route leaves. The table of signals stays as long as anything else is in the database: the node may be a source of routes, too. To be
 * called under the lock.
 */
export async function dropState(session: MysqlSession): Promise<void> {
  const [meta] = await session.query('select version from tidelock.meta');
  if (Number(meta?.[0] ?? 0) > stateVersion) return;
  // First: without it there is no state, and what is left is made anew.
  await session.query('drop table if exists tidelock.meta');
  for (const table of tables) await session.query(`drop table if exists ${ownDatabase}.${table}`);
}
