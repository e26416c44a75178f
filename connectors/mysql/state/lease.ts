import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { LeaseAttempt, LeaseHolder } from '../../../src/core/route-state-store.ts';
import type { RouteStatus } from '../../../src/core/route-status.ts';
import { errnoOf } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { endSessions } from './session-locks.ts';
import { inTransaction, lockErrors, nowMs } from './statements.ts';

export const leaseMs = 10_000;

/** Each attempt waits for the control session's innodb_lock_wait_timeout. */
const raiseAttempts = 5;

export interface LeaseOptions {
  readonly session: MysqlSession;
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

interface Claim {
  readonly claim: string;
  readonly raised: boolean;
}

/**
 * A lease changes hands in three steps, so that an engine that freezes between them holds no lock:
 *
 * 1. claim: the row names the new holder, `raised` is false; one statement. From here the old holder's renewals find another name and fail.
 * 2. end the route's other sessions: a frozen engine's open transaction holds the route's row.
 * 3. raise: the epoch grows and `raised` becomes true, only where the claim still stands; one statement. It waits for apply transactions that could not be
 *    ended: they commit before it, or find the raised epoch and fail.
 *
 * Whoever dies between 1 and 3 leaves a claim that is not raised: the same Supervisor goes on with it, another one after it has expired.
 */
export async function acquire(
  options: LeaseOptions,
  takeover: boolean,
  onClaim: () => Promise<void>,
): Promise<LeaseAttempt & { readonly claim?: string }> {
  const { session, routeId, holder } = options;
  const claim = await claimLease(options, takeover);
  if (claim === null) return await refusal(options);
  await onClaim();
  for (let attempt = 1; ; attempt++) {
    await endOthers(options, claim);
    const epoch = await raiseOrRead(options, claim);
    if (epoch === null) return await refusal(options);
    if (epoch !== 'blocked') return { granted: true, epoch: BigInt(epoch), claim: claim.claim };
    if (attempt === raiseAttempts) throw fail(routeErrors.epochLocked, { route: options.route });
    await session.change(
      `update tidelock.leases set expires_at_ms = ${nowMs} + ? where route_id = ? and supervisor = ? and claim = ?`,
      [leaseMs, routeId, holder.supervisor, claim.claim],
    );
  }
}

/** Assignments are made from left to right here, and each sees those before it. */
async function claimLease({ session, routeId, holder }: LeaseOptions, takeover: boolean): Promise<Claim | null> {
  const { supervisor, host, pid } = holder;
  const claimed = await session.change(
    `update tidelock.leases set raised = if(supervisor = ?, raised, 0), claim = claim + if(supervisor = ?, 0, 1),
       supervisor = ?, host = ?, pid = ?, expires_at_ms = ${nowMs} + ?
     where route_id = ? and (supervisor = ? or expires_at_ms < ${nowMs} or ? = 1)`,
    [supervisor, supervisor, supervisor, host, pid, leaseMs, routeId, supervisor, takeover ? 1 : 0],
  );
  if (claimed === 0) return null;
  const [row] = await session.query('select claim, raised from tidelock.leases where route_id = ? and supervisor = ?', [
    routeId,
    supervisor,
  ]);
  // Overtaken at once.
  return row === undefined ? null : { claim: row[0] ?? '', raised: row[1] === '1' };
}

/**
 * The lease's row is locked meanwhile: a claimant that has been overtaken must not end the sessions of the one after it, which takes its own locks only after
 * its own claim.
 */
async function endOthers({ session, routeId, holder }: LeaseOptions, { claim }: Claim): Promise<void> {
  await inTransaction(session, async () => {
    const [mine] = await session.query(
      'select 1 from tidelock.leases where route_id = ? and supervisor = ? and claim = ? for update',
      [routeId, holder.supervisor, claim],
    );
    if (mine !== undefined) await endSessions(session, routeId);
  });
}

/**
 * The epoch that is the claim's; null where the claim no longer stands. Where it was raised before, the route's row is locked for a moment all the same: an
 * apply transaction of an earlier worker that could not be ended must not commit after the checkpoint is read.
 */
async function raiseOrRead(
  { session, routeId, routeKey, holder }: LeaseOptions,
  { claim, raised }: Claim,
): Promise<string | 'blocked' | null> {
  // Its row may have got another name since it was found: then it is another route's.
  const values = [routeId, holder.supervisor, claim, routeKey];
  const mine = 'r.id = ? and l.supervisor = ? and l.claim = ? and r.route_key = ?';
  const from = 'tidelock.routes r join tidelock.leases l on l.route_id = r.id';
  try {
    if (!raised)
      await session.change(
        `update ${from} set r.epoch = r.epoch + 1, l.raised = 1, l.expires_at_ms = ${nowMs} + ? where ${mine} and l.raised = 0`,
        [leaseMs, ...values],
      );
    const [locked] = await session.query('select epoch from tidelock.routes where id = ? for update', [routeId]);
    const [row] = await session.query(`select r.epoch from ${from} where ${mine} and l.raised = 1`, values);
    return locked === undefined ? null : (row?.[0] ?? null);
  } catch (error) {
    if (lockErrors.has(errnoOf(error) ?? 0)) return 'blocked';
    throw error;
  }
}

async function refusal({ session, routeId, route }: LeaseOptions): Promise<LeaseAttempt> {
  const [row] = await session.query(
    `select supervisor, host, pid, expires_at_ms - ${nowMs} from tidelock.leases where route_id = ?`,
    [routeId],
  );
  if (row === undefined) throw fail(routeErrors.notRegistered, { route });
  const [supervisor, host, pid, left] = row;
  return {
    granted: false,
    holder: { supervisor: supervisor ?? '', host: host ?? '', pid: Number(pid) },
    expiresInMs: Number(left),
  };
}

/** False where another engine has the lease. Nobody took an expired one: it is renewed as if it had not expired. */
export async function renew(
  session: MysqlSession,
  routeId: number,
  { supervisor, claim, epoch }: HeldLease,
  status: RouteStatus | null,
): Promise<boolean> {
  const text = status === null ? null : JSON.stringify(status);
  const told = text === null ? '' : `, status = ?, status_at_ms = ${nowMs}`;
  const renewed = await session.change(
    `update tidelock.leases set expires_at_ms = ${nowMs} + ?${told} where route_id = ? and supervisor = ? and claim = ?
       and exists (select 1 from tidelock.routes where id = ? and epoch = ?)`,
    [leaseMs, ...(text === null ? [] : [text]), routeId, supervisor, claim, routeId, epoch.toString()],
  );
  return renewed === 1;
}

/** The row stays, with the last status; the same Supervisor may take it again under the same epoch. */
export async function release(session: MysqlSession, routeId: number, { supervisor, claim }: HeldLease): Promise<void> {
  await session.change(
    'update tidelock.leases set expires_at_ms = 0 where route_id = ? and supervisor = ? and claim = ?',
    [routeId, supervisor, claim],
  );
}
