import type { StartPoint } from '../../../src/core/collector.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { formatLsn, type Lsn, parseLsn } from '../lsn.ts';
import { takeBytesAsStored } from './bytes-as-stored.ts';
import { readBuiltInTypes, readCatalogue, readDomainModifiers, selectTables } from './catalogue.ts';
import { captureDdl, type DdlKey, readDdlKey } from './ddl-capture.ts';
import type { KeptSide } from './kept-side.ts';
import { checkPublication } from './publication.ts';
import { queueNames } from './queue-names.ts';
import type { Queryable } from './sessions.ts';
import { keepAtStandbys, readSlot, usableSlot } from './slot.ts';
import { isNamed, parseStandbyNames } from './standby-names.ts';
import { forkOf, readSystemIdentity, type SystemIdentity } from './system-identity.ts';
import { isSelected } from './table-filter.ts';

/** What the checks have found out and the stream needs. */
export interface CheckedStart {
  /** The slot's confirmed position: where the server will really start. */
  readonly confirmed: Lsn;
  /** The end of the source's log. */
  readonly flushed: Lsn;
  /** A larger transaction is sent before it has ended, where that is asked for. */
  readonly decodingMemoryBytes: number;
  readonly walSenderTimeoutMs: number;
  readonly walSenderPid: number;
  /** False where the server has refused that standbys keep the slot, too. */
  readonly isKeptAtStandbys: boolean;
  readonly builtInTypes: readonly (readonly [number, string])[];
  readonly domainModifiers: readonly (readonly [number, number])[];
  /** Set where the stored identity is an older one of the same source. */
  readonly newIdentity: SourceIdentity | null;
  /** Tables that match the route and are not published: made since the route was created. */
  readonly unpublished: readonly string[];
  /** Null where the route takes no DDL commands. */
  readonly ddlKey: DdlKey | null;
  /** Of the source, before the stream began. */
  readonly snapshot: string;
  /** COMMITs at the source may be brought long before others see them. */
  readonly waitsForStandbys: boolean;
  /** The route may be one of those that they wait for. */
  readonly isNamed: boolean;
}

export interface StartCheckOptions {
  readonly route: RouteDefinition;
  readonly stored: SourceIdentity;
  readonly start: StartPoint;
  /** Labels of tables whose changes the queue has had so far, also where only a glob names them. */
  readonly replicated: readonly string[];
  readonly side: KeptSide;
}

/**
 * Proves, on the very session that is going to stream, that the queue goes on exactly where the checkpoint is. The
 * server itself proves nothing: START_REPLICATION silently begins at the later of the asked and the confirmed position.
 *
 * What needs the catalogue is asked on another session of the same server: the walsender keeps what it has looked up, and
 * would decode older rows with it. (A query of pg_publication_tables is enough for that: rows of before an ALTER TABLE came described as
 * the table is today.)
 */
export async function checkStart(
  client: Queryable,
  { route, stored, start, replicated, side }: StartCheckOptions,
): Promise<CheckedStart> {
  // At the same time: a start waits for neither. Where it makes something at the source it waits until the rest is proven.
  const early = route.ddl === 'ignore' ? side.use((other) => checkCatalogue(other, { route, replicated })) : null;
  early?.catch(() => {});
  await takeBytesAsStored(client);
  const checkpoint = parseLsn(start.position);
  const system = await readSystemIdentity(client);
  checkSameSource(route, stored, system);
  const newIdentity = await checkTimeline(client, route, { stored, system, checkpoint });
  if (checkpoint > system.flushedLsn)
    throw fail(sourceErrors.sourceSetBack, {
      route: route.name,
      end: formatLsn(system.flushedLsn),
      checkpoint: start.position,
    });

  const { slot: name, ownsSlot } = queueNames(route);
  const slot = usableSlot(route.name, name, await readSlot(client, name));
  if (slot.confirmedLsn > checkpoint)
    throw fail(sourceErrors.slotBeyondCheckpoint, {
      route: route.name,
      slot: name,
      confirmed: formatLsn(slot.confirmedLsn),
      checkpoint: start.position,
    });
  if (slot.activePid !== null)
    throw fail(sourceErrors.slotActive, { route: route.name, slot: name, pid: String(slot.activePid) });

  const isKeptAtStandbys = !ownsSlot || slot.failover !== false || (await keepAtStandbys(client, name));
  const session = (
    await client.query(`
      SELECT pg_backend_pid()::int4 AS pid, setting::int8::text AS timeout, pg_postmaster_start_time()::text AS server,
        pg_size_bytes(current_setting('logical_decoding_work_mem'))::text AS memory
      FROM pg_settings WHERE name = 'wal_sender_timeout'`)
  ).rows[0];
  const { server, ...found } = await (early ?? side.use((other) => checkCatalogue(other, { route, replicated })));
  if (server !== session?.server)
    throw fail(nodeErrors.unreachable, { node: route.from.name, why: 'two connections reached two servers' });
  return {
    ...found,
    confirmed: slot.confirmedLsn,
    flushed: system.flushedLsn,
    decodingMemoryBytes: Number(session?.memory),
    walSenderTimeoutMs: Number(session?.timeout),
    walSenderPid: Number(session?.pid),
    isKeptAtStandbys,
    newIdentity,
  };
}

interface CheckedCatalogue
  extends Pick<
    CheckedStart,
    'builtInTypes' | 'domainModifiers' | 'unpublished' | 'ddlKey' | 'snapshot' | 'waitsForStandbys' | 'isNamed'
  > {
  /** When the server that was asked was started. */
  readonly server: string;
}

async function checkCatalogue(
  side: Queryable,
  { route, replicated }: Pick<StartCheckOptions, 'route' | 'replicated'>,
): Promise<CheckedCatalogue> {
  const { rows } = await side.query(
    `SELECT pg_postmaster_start_time()::text AS server, current_setting('synchronous_standby_names') AS standbys`,
  );
  const standbys = String(rows[0]?.standbys);
  const waitsForStandbys = standbys !== '';
  // A snapshot lists what is open up to the last id that is over: one of our own comes behind all that were brought.
  if (waitsForStandbys) await side.query('SELECT pg_current_xact_id()');
  const snapshot = (await side.query('SELECT pg_current_snapshot()::text AS snapshot')).rows[0]?.snapshot;
  await captureDdl(side, route);
  const tables = selectTables(await readCatalogue(side), (schema, table) => isSelected(route, schema, table));
  const unpublished = await checkPublication(side, { route, tables, replicated });
  return {
    server: String(rows[0]?.server),
    snapshot: String(snapshot),
    waitsForStandbys,
    isNamed: isNamed(route, parseStandbyNames(standbys)),
    builtInTypes: await readBuiltInTypes(side),
    domainModifiers: await readDomainModifiers(side),
    unpublished: unpublished.map(({ table }) => tableLabel(table)),
    ddlKey: route.ddl === 'replicate' ? await readDdlKey(side, route) : null,
  };
}

function checkSameSource(route: RouteDefinition, stored: SourceIdentity, { identity }: SystemIdentity): void {
  const facts = [
    ['systemId', 'system identifier'],
    ['database', 'database'],
    ['databaseOid', 'database oid'],
  ] as const;
  for (const [fact, what] of facts) {
    const expected = stored[fact];
    if (expected !== undefined && expected !== identity[fact])
      throw fail(sourceErrors.sourceReplaced, {
        route: route.name,
        what,
        stored: expected,
        found: identity[fact],
      });
  }
}

/** The stored timeline has to be the current one, or one that the current one left at or after the checkpoint. */
async function checkTimeline(
  client: Queryable,
  route: RouteDefinition,
  at: { readonly stored: SourceIdentity; readonly system: SystemIdentity; readonly checkpoint: Lsn },
): Promise<SourceIdentity | null> {
  const found = at.system.identity.timeline;
  const stored = at.stored.timeline;
  if (stored === undefined || stored === found) return stored === undefined ? at.system.identity : null;
  const fork = Number(found) > Number(stored) ? await forkOf(client, found, stored) : null;
  if (fork !== null && fork >= at.checkpoint) return at.system.identity;
  throw fail(sourceErrors.timelineDiverged, {
    route: route.name,
    stored,
    found,
    checkpoint: formatLsn(at.checkpoint),
    fork: fork === null ? 'no point' : formatLsn(fork),
  });
}
