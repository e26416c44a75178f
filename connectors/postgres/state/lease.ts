import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { LeaseAttempt, LeaseHolder, Wanted } from '../../../src/core/route-state-store.ts';
import type { RouteStatus } from '../../../src/core/route-status.ts';
import { sqlState } from '../classify-error.ts';
import { stateVersion } from './state-schema.ts';
import {
  jobsDue,
  leftoverFound,
  parkingAsked,
  pendingAsked,
  readWanted,
  type WantedRow,
  wantedColumns,
} from './wanted.ts';

export const leaseMs = 10_000;

/** Between two looks at a session that could not be ended. */
const sharedMs = 500;

/** Each attempt waits for the control session's lock_timeout. */
const raiseAttempts = 5;

export interface LeaseOptions {
  readonly client: pg.Client;
  readonly routeId: number;
  readonly routeKey: string;
  readonly route: string;
  readonly holder: LeaseHolder;
}

export interface HeldLease {
  readonly supervisor: string;
  readonly claim: string;
  readonly epoch: bigint;
}

type Claim = { readonly claim: string; readonly raised: boolean };

/**
 * A lease changes hands in three steps, each one statement that commits by itself, so that an engine that freezes
 * between them holds no lock:
 *
 * 1. claim: the row names the new holder, `raised` is false. Row locks let one of several claimants through; from here
 *    the old holder's renewals find another name and fail.
 * 2. end the route's other sessions: a frozen engine's open transaction holds the route's row.
 * 3. raise: the epoch grows and `raised` becomes true, only where the claim still stands. The statement waits for apply
 *    transactions that could not be ended: they commit before it, or find the raised epoch and fail.
 *
 * Whoever dies between 1 and 3 leaves a claim that is not raised: the same Supervisor goes on with it, another one after
 * it has expired.
 */
export async function acquire(
  options: LeaseOptions,
  takeover: boolean,
  onClaim: () => Promise<void>,
): Promise<LeaseAttempt & { readonly claim?: string }> {
  const { client, routeId, holder } = options;
  const claim = await claimLease(options, takeover);
  if (claim === null) return await refusal(options);
  await onClaim();
  for (let attempt = 1; ; attempt++) {
    await endOtherSessions(options, claim);
    const epoch = await raiseOrRead(options, claim);
    if (epoch === null) return await refusal(options);
    if (epoch !== 'blocked') return { granted: true, epoch: BigInt(epoch), claim: claim.claim };
    if (attempt === raiseAttempts) throw fail(routeErrors.epochLocked, { route: options.route });
    await client.query(
      `update tidelock.leases set expires_at = clock_timestamp() + $3 * interval '1 ms'
       where route_id = $1 and supervisor = $2 and claim = $4`,
      [routeId, holder.supervisor, leaseMs, claim.claim],
    );
  }
}

async function claimLease({ client, routeId, route, holder }: LeaseOptions, takeover: boolean): Promise<Claim | null> {
  const claimed = client.query<Claim>(
    `insert into tidelock.leases as l (route_id, supervisor, host, pid, expires_at)
     values ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 ms')
     on conflict (route_id) do update set
       supervisor = excluded.supervisor, host = excluded.host, pid = excluded.pid, expires_at = excluded.expires_at,
       claim = l.claim + (l.supervisor <> excluded.supervisor)::int,
       raised = l.raised and l.supervisor = excluded.supervisor
     where l.supervisor = excluded.supervisor or l.expires_at < clock_timestamp() or $6
     returning claim::text, raised`,
    [routeId, holder.supervisor, holder.host, holder.pid, leaseMs, takeover],
  );
  const { rows } = await claimed.catch((error: unknown) => {
    // It was dropped while this claim waited for its lease.
    throw /^(23503|42P01)$/.test(sqlState(error) ?? '') ? fail(routeErrors.notRegistered, { route }, error) : error;
  });
  return rows[0] ?? null;
}

/**
 * The route's apply sessions and the control session of whoever held it, but for this one. Sessions of other users can
 * only be ended by a superuser. The lease's row is locked meanwhile: a claimant that has been overtaken must not end
 * the sessions of the one after it, which names its session only after its own claim.
 */
async function endOtherSessions({ client, routeId, holder }: LeaseOptions, { claim }: Claim): Promise<void> {
  await client.query(
    `with mine as materialized (
       select from tidelock.leases where route_id = $1 and supervisor = $2 and claim = $3 for update)
     select pg_terminate_backend(pid, 1000) from mine, pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and starts_with(application_name, $4)
       and (usename = current_user or (select rolsuper from pg_roles where rolname = current_user))`,
    [routeId, holder.supervisor, claim, `tidelock ${routeId} `],
  );
}

/**
 * The epoch that is the claim's; null where the claim no longer stands. Where it was raised before, the route's row is
 * locked for a moment all the same: an apply transaction of an earlier worker that could not be ended must not commit
 * after the checkpoint is read. It may have sent several: as long as its session is there, it is asked again.
 */
async function raiseOrRead(
  { client, routeId, routeKey, holder }: LeaseOptions,
  { claim, raised }: Claim,
): Promise<string | 'blocked' | null> {
  // Its row may have got another name since it was found: then it is another route's.
  const values = [routeId, holder.supervisor, claim, routeKey];
  const text = raised
    ? `select r.epoch::text, exists (select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and starts_with(application_name, $5)) as "isShared" from tidelock.routes r join tidelock.leases l on l.route_id = r.id
       where r.id = $1 and l.supervisor = $2 and l.claim = $3 and r.key = $4 for no key update of r`
    : `with mine as (
         update tidelock.leases set raised = true, expires_at = clock_timestamp() + $5 * interval '1 ms'
         where route_id = $1 and supervisor = $2 and claim = $3
         returning route_id)
       update tidelock.routes r set epoch = r.epoch + 1 from mine where r.id = mine.route_id and r.key = $4
       returning r.epoch::text`;
  try {
    const more = raised ? `tidelock ${routeId} apply ` : leaseMs;
    const { rows } = await client.query<{ epoch: string; isShared?: boolean }>(text, [...values, more]);
    if (rows[0]?.isShared) {
      await delay(sharedMs);
      return 'blocked';
    }
    return rows[0]?.epoch ?? null;
  } catch (error) {
    if (sqlState(error) === '55P03') return 'blocked';
    throw error;
  }
}

async function refusal({ client, routeId, route }: LeaseOptions): Promise<LeaseAttempt> {
  const { rows } = await client.query<LeaseHolder & { expiresInMs: number }>(
    `select supervisor, host, pid, ${expiresInMs} from tidelock.leases l where route_id = $1`,
    [routeId],
  );
  if (!rows[0]) throw fail(routeErrors.notRegistered, { route });
  const { expiresInMs: remainingMs, ...holder } = rows[0];
  return { granted: false, holder, expiresInMs: remainingMs };
}

/** A released lease expired long ago. */
export const expiresInMs = `(extract(epoch from l.expires_at - clock_timestamp()) * 1000)::float8 as "expiresInMs"`;

/** Null where another engine has the lease. Nobody took an expired one: it is renewed as if it had not expired. */
export async function renew(
  client: pg.Client,
  routeId: number,
  { supervisor, claim, epoch }: HeldLease,
  status: RouteStatus | null,
): Promise<Wanted | null> {
  const { rows } = await client.query<WantedRow>({
    name: 'tl_renew',
    text: `with renewed as (
        update tidelock.leases set expires_at = clock_timestamp() + $4 * interval '1 ms', status = coalesce($5, status),
          status_at = case when $5::jsonb is null then status_at else clock_timestamp() end
        where route_id = $1 and supervisor = $2 and claim = $3
          and exists (select from tidelock.routes where id = $1 and epoch = $6)
        returning route_id)
      select ${wantedColumns(stateVersion)}, ${parkingAsked}, ${pendingAsked}, ${leftoverFound}, ${jobsDue} from renewed join tidelock.requests q using (route_id)`,
    values: [routeId, supervisor, claim, leaseMs, status === null ? null : JSON.stringify(status), epoch.toString()],
  });
  return rows[0] ? readWanted(rows[0]) : null;
}

/** The row stays, with the last status; the same Supervisor may take it again under the same epoch. */
export async function release(client: pg.Client, routeId: number, { supervisor, claim }: HeldLease): Promise<void> {
  await client.query(
    `update tidelock.leases set expires_at = 'epoch' where route_id = $1 and supervisor = $2 and claim = $3`,
    [routeId, supervisor, claim],
  );
}
