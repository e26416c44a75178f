import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { QueueRoom } from '../../../src/core/queue-room.ts';
import { sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { type Lsn, parseLsn } from '../lsn.ts';
import type { Queryable } from './sessions.ts';

/** A row of pg_replication_slots, of whatever version (invalidation_reason and failover are there from 17 on). */
export interface Slot {
  readonly name: string;
  readonly activePid: number | null;
  readonly confirmedLsn: Lsn | null;
  /** WAL that is kept for the slot; null where nothing is kept any more. */
  readonly retainedBytes: number | null;
  /** Before the server removes WAL that the slot needs; null where it keeps all (max_slot_wal_keep_size), or has removed it. */
  readonly room: QueueRoom | null;
  /** Why it can't be read any more, null where it can. */
  readonly lost: string | null;
  /** Standbys that synchronize slots keep it, too; null where the server knows nothing of that. */
  readonly failover: boolean | null;
  /** Why the route can't use it, null where it can. */
  readonly unsuitable: string | null;
}

const slotsQuery = `
  SELECT to_jsonb(s) AS slot, current_database() AS database,
    pg_size_bytes(current_setting('max_slot_wal_keep_size'))::text AS "keepSize",
    pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::text AS retained
  FROM pg_replication_slots s`;

/** Text without bound values, so that a replication session can run it too. */
export async function readSlot(client: Queryable, name: string): Promise<Slot | null> {
  const { rows } = await client.query(`${slotsQuery} WHERE s.slot_name = ${quoteLiteral(name)}`);
  return rows[0] === undefined ? null : slotOf(rows[0]);
}

/** All of the server, by name. */
export async function readSlots(client: Queryable): Promise<ReadonlyMap<string, Slot>> {
  const { rows } = await client.query(slotsQuery);
  return new Map(rows.map(slotOf).map((slot) => [slot.name, slot]));
}

export function slotOf(row: Record<string, unknown>): Slot {
  const slot = row.slot as Record<string, unknown>;
  const confirmed = slot.confirmed_flush_lsn;
  return {
    name: String(slot.slot_name),
    activePid: slot.active === true ? Number(slot.active_pid) : null,
    confirmedLsn: typeof confirmed === 'string' ? parseLsn(confirmed) : null,
    retainedBytes: row.retained === null ? null : Number(row.retained),
    room: roomOf(slot, Number(row.keepSize)),
    failover: typeof slot.failover === 'boolean' ? slot.failover : null,
    lost: lostBecause(slot),
    unsuitable: unsuitableBecause(slot, row.database),
  };
}

function lostBecause(slot: Record<string, unknown>): string | null {
  const reason = slot.invalidation_reason;
  if (typeof reason === 'string') return `the server has invalidated it (${reason})`;
  if (slot.wal_status === 'lost') return 'the server has removed WAL that it still needed (max_slot_wal_keep_size)';
  return null;
}

/** `unreserved`: beyond the limit by now, so that the next checkpoint takes it. A reader that is quick enough may still save it. */
function roomOf(slot: Record<string, unknown>, keepBytes: number): QueueRoom | null {
  const limitBytes = keepBytes < 0 ? null : keepBytes;
  if (slot.wal_status === 'unreserved') return { leftBytes: 0, limitBytes };
  const left = slot.safe_wal_size;
  return lostBecause(slot) === null && typeof left === 'number' ? { leftBytes: Math.max(0, left), limitBytes } : null;
}

function unsuitableBecause(slot: Record<string, unknown>, database: unknown): string | null {
  if (slot.slot_type !== 'logical') return 'it is a physical slot';
  if (slot.plugin !== 'pgoutput') return `its output plugin is ${String(slot.plugin)}`;
  if (slot.database !== database) return `it belongs to database ${String(slot.database)}`;
  if (slot.temporary === true) return 'it is temporary';
  return null;
}

/** The slot as a stream needs it, or a coded error. */
export function usableSlot(route: string, name: string, slot: Slot | null): Slot & { readonly confirmedLsn: Lsn } {
  if (slot === null) throw fail(sourceErrors.slotMissing, { route, slot: name });
  if (slot.unsuitable !== null) throw fail(sourceErrors.slotUnsuitable, { route, slot: name, why: slot.unsuitable });
  if (slot.lost !== null) throw fail(sourceErrors.slotLost, { route, slot: name, why: slot.lost });
  const { confirmedLsn } = slot;
  if (confirmedLsn === null)
    throw fail(sourceErrors.slotUnsuitable, { route, slot: name, why: 'its creation has not finished' });
  return { ...slot, confirmedLsn };
}

/**
 * Has standbys keep the slot, too (sync_replication_slots), so that the route goes on after a failover. In a replication session, while nobody reads the
 * slot. A copy of a slot (rename) does not take that along, so that it is looked at with each start. False where the server refuses.
 */
export async function keepAtStandbys(client: Queryable, name: string): Promise<boolean> {
  try {
    await client.query(`ALTER_REPLICATION_SLOT ${quoteIdentifier(name)} (FAILOVER true)`);
    return true;
  } catch (error) {
    if (sqlState(error) === null) throw error;
    return false;
  }
}

/**
 * Ends the session that reads the slot and waits until the server has let the slot go. A slot's name is one of the
 * whole server: that of another database is another deployment's, and is left alone here and in dropSlot.
 */
export async function endSlotSession(client: Queryable, name: string): Promise<void> {
  const ended = `
    SELECT pg_terminate_backend(active_pid, 2000) AS done FROM pg_replication_slots
    WHERE slot_name = $1 AND active_pid IS NOT NULL AND database = current_database()`;
  for (let attempt = 0; attempt < 3; attempt++) if ((await client.query(ended, [name])).rows.length === 0) return;
}

export async function dropSlot(client: Queryable, name: string): Promise<void> {
  await endSlotSession(client, name);
  await client.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
     WHERE slot_name = $1 AND database = current_database()`,
    [name],
  );
}
