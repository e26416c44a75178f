import type { StartPoint } from '../../../src/core/collector.ts';
import type { Progress } from '../../../src/core/consumer.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import { LatestValue } from '../../../src/core/latest-value.ts';
import type { Position } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { Commit, Hop, Origin } from '../../../src/core/transaction.ts';
import type { Group } from '../../sql/apply/group.ts';
import { classifyMysqlError } from '../classify-error.ts';
import type { ApplySession } from './apply-session.ts';
import { Flights } from './flights.ts';
import { originSignal } from './origin-signal.ts';
import { isDuplicate, isOfTheChange } from './refusals.ts';
import { checkForeignKeys } from './set-apply.ts';
import { textLiteral } from './value-literal.ts';

/** Checkpoint rows below the current one are deleted now and then: one row updated again and again would keep its versions under an open snapshot. */
const pruneEvery = 500n;

export interface TargetTransactionOptions extends Pick<ConsumerOptions, 'epoch' | 'sourceNode' | 'checkpoint'> {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly apply: ApplySession;
}

interface LastCheckpoint {
  readonly sequence: bigint;
  readonly lastCommit: StartPoint['lastCommit'];
}

/**
 * The target transactions of one Consumer, one after the other: begun under the route's epoch and with the origin marker, ended with the checkpoint. One that
 * holds a part of a source transaction stays open for the next; each part is behind a savepoint then.
 */
export class TargetTransaction {
  readonly #options: TargetTransactionOptions;
  readonly #progress = new LatestValue<Progress>();
  #last: LastCheckpoint;
  #applied: Position;
  #open = false;
  #holdsSavepoint = false;

  constructor(options: TargetTransactionOptions) {
    const { checkpoint } = options;
    this.#options = options;
    this.#last = { sequence: checkpoint.sequence, lastCommit: checkpoint.lastCommit };
    this.#applied = checkpoint.position;
  }

  /** A source transaction's target transaction is open and holds parts of it. */
  get open(): boolean {
    return this.#open;
  }

  progress(): AsyncIterable<Progress> {
    return this.#progress.values();
  }

  flights(): Flights {
    const { apply, route } = this.#options;
    return new Flights({ session: apply.session, maxPacketBytes: apply.maxPacketBytes, route: route.name });
  }

  /** Begins one, or the next part of the one that is open. */
  async begin(flights: Flights, group: Group): Promise<void> {
    if (this.#open) {
      if (this.#holdsSavepoint) await flights.send('release savepoint tl_part');
      this.#holdsSavepoint = false;
      await flights.send('savepoint tl_part');
      failpoint('part.savepoint');
      return;
    }
    const { route, routeId, sourceNode } = this.#options;
    await flights.send('start transaction');
    // Whoever raises the epoch waits for this lock, or we see the raised one: an engine that was replaced can't commit. MariaDB has no FOR SHARE.
    await flights.send(`select epoch from tidelock.routes where id = ${routeId} lock in share mode`, ({ rows }) => {
      const epoch = this.#options.epoch.toString();
      if (rows[0]?.[0] !== epoch) throw fail(routeErrors.fenced, { route: route.name, epoch });
    });
    failpoint('marker.before');
    await flights.send(originSignal(routeKey(route), hopsOf(sourceNode, group), this.#last.sequence + 1n));
    failpoint('marker.after');
  }

  /** The transaction goes on in the next group, with which the savepoint of this one is let go. */
  keepOpen(): void {
    this.#holdsSavepoint = this.#open;
    this.#open = true;
    failpoint('part.applied');
  }

  /** As `keepOpen`, of what is not to be replayed by itself: no savepoint is behind it. */
  stayOpen(): void {
    this.#open = true;
    failpoint('part.applied');
  }

  /** Statements in a target transaction of their own, under the route's epoch. */
  async run(work: () => Promise<void>): Promise<void> {
    try {
      const flights = this.flights();
      await this.begin(flights, { parts: [], rows: 0, commit: null, lastCommit: null });
      await flights.settle();
      await work();
      await this.#options.apply.session.batch(['commit']);
    } catch (error) {
      await this.#options.apply.session.batch(['rollback']).catch(() => {});
      throw error;
    }
  }

  /** Where the target is. */
  get applied(): Position {
    return this.#applied;
  }

  /** The checkpoint that the group ends with, behind its rows. */
  async sendCheckpoint(flights: Flights, group: Group, commit: Commit): Promise<void> {
    const { routeId } = this.#options;
    const { sequence, lastCommit } = this.#next(group);
    const values = [
      ...[String(routeId), sequence.toString(), textLiteral(commit.position)],
      ...(lastCommit === null ? ['null', 'null'] : [textLiteral(lastCommit.position), textLiteral(lastCommit.id)]),
    ];
    await flights.send(
      `insert into tidelock.checkpoints (route_id, sequence, position, last_commit_position, last_commit_id) values (${values.join(', ')})`,
    );
    if (sequence % pruneEvery !== 0n) return;
    await flights.send(`delete from tidelock.checkpoints where route_id = ${routeId} and sequence < ${sequence - 10n}`);
  }

  /** The same by itself, behind rows whose answers are there. */
  async storeCheckpoint(group: Group, commit: Commit): Promise<void> {
    const flights = this.flights();
    try {
      await this.sendCheckpoint(flights, group, commit);
      await flights.settle();
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      const sequence = this.#next(group).sequence.toString();
      throw fail(targetErrors.checkpointTaken, { route: this.#options.route.name, sequence }, error);
    }
  }

  /** Commits, with the checkpoint of the group answered. */
  async commit(group: Group, commit: Commit): Promise<void> {
    const next = this.#next(group);
    failpoint('commit.before');
    const answered = this.#options.apply.session.batch(['commit']);
    failpoint('commit.sent');
    await answered;
    failpoint('commit.answerLost');
    failpoint('commit.answered');
    this.#holdsSavepoint = false;
    this.#open = false;
    // A parked transaction that was tried again: its place was passed long ago.
    if (group.parked !== undefined) return;
    this.#last = next;
    this.#applied = commit.position;
    // Where a COMMIT does not flush, the preflight has told so and it was allowed by name.
    this.#progress.set({ applied: commit.position, durable: commit.position });
  }

  /** What was written since `begin`. */
  async rollBack(): Promise<void> {
    const { session, foreignKeysAct } = this.#options.apply;
    // What was rolled back may have left them off.
    const checks = foreignKeysAct ? [checkForeignKeys] : [];
    if (this.#open) await session.batch(['rollback to savepoint tl_part', 'release savepoint tl_part', ...checks]);
    else await session.batch(['rollback', ...checks]);
  }

  /** All parts of the source transaction that is under way, too. */
  async rollBackAll(): Promise<void> {
    const { session, foreignKeysAct } = this.#options.apply;
    this.#open = false;
    this.#holdsSavepoint = false;
    await session.batch(['rollback', ...(foreignKeysAct ? [checkForeignKeys] : [])]);
  }

  abort(): void {
    this.#options.apply.session.close();
  }

  close(): void {
    this.#progress.close();
    // An open transaction is rolled back by the server.
    this.#options.apply.session.close();
  }

  /** What a statement has failed with, as a TidelockError. */
  classify(error: unknown): TidelockError {
    if (error instanceof TidelockError) return error;
    const route = this.#options.route.name;
    const node = this.#options.route.to.name;
    if (isOfTheChange(error)) {
      const { sqlState, message } = refusalText(error);
      return fail(targetErrors.commitFailed, { route, position: this.#applied, sqlState, message }, error);
    }
    return classifyMysqlError(error, node);
  }

  #next({ lastCommit }: Group): LastCheckpoint {
    return { sequence: this.#last.sequence + 1n, lastCommit: lastCommit ?? this.#last.lastCommit };
  }
}

/** Values may be in the server's text: only its number is told. */
export function refusalText(error: unknown): { readonly sqlState: string; readonly message: string } {
  const { errno = 0, sqlState = '' } = error as { readonly errno?: number; readonly sqlState?: string };
  return { sqlState, message: `error ${errno}; the server's text is left out since it may hold row values` };
}

/** The nodes that the group's transactions have been through: where they come from, and the source itself. */
function hopsOf(sourceNode: string, group: Group): Origin {
  const hops: Origin = group.parts[0]?.origin ?? [];
  const commit = group.commit ?? group.parts.findLast((part) => part.commit !== null)?.commit ?? null;
  const here: Hop = { node: sourceNode, position: commit?.position ?? '', committedAtMs: commit?.atMs ?? 0 };
  return [...hops, here];
}
