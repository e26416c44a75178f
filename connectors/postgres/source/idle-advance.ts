import type { Position } from '../../../src/core/position.ts';
import type { TransactionPart, Urgency } from '../../../src/core/transaction.ts';
import { idleAdvance } from '../../sql/part-builder.ts';
import { formatLsn, type Lsn, parseLsn } from '../lsn.ts';

export interface IdleAdvancerOptions {
  readonly checkpoint: Lsn;
  /** Source COMMITs wait for this session (synchronous_standby_names). */
  isSynchronous(): boolean;
  inTransaction(): boolean;
  emit(part: TransactionPart): void;
}

const requestIntervalMs = 1_000;

/**
 * Moves the position on over WAL that holds nothing for the route, so that the source need not keep it.
 *
 * Without anybody waiting there is one advance under way at a time: the next keepalive counts when everything given
 * out is acknowledged. When the server asks for a reply (it does when it shuts down and waits until we have everything)
 * or its COMMITs wait for us, the advance is to be stored at once, at most once a second for requests: each of our
 * replies makes a server that shuts down ask again.
 */
export class IdleAdvancer {
  readonly #options: IdleAdvancerOptions;
  /** Read only when somebody asks, which is not at each commit. */
  #emittedPosition: Position | null = null;
  #emittedLsn: Lsn;
  #acknowledged: Lsn;
  /** The last position given out is one that nobody stores soon. */
  #riding = false;
  #requested: { readonly lsn: Lsn; readonly atMs: number } | null = null;
  #nextRequestAtMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: IdleAdvancerOptions) {
    this.#options = options;
    this.#emittedLsn = options.checkpoint;
    this.#acknowledged = options.checkpoint;
  }

  /** Every part that goes into the stream. */
  note(part: TransactionPart): void {
    if (part.commit === null) return;
    this.#emittedPosition = part.commit.position;
    this.#riding = part.urgency === 'ride' && part.rows === 0;
  }

  get #emitted(): Lsn {
    if (this.#emittedPosition !== null) this.#emittedLsn = parseLsn(this.#emittedPosition);
    this.#emittedPosition = null;
    return this.#emittedLsn;
  }

  acknowledged(lsn: Lsn): void {
    if (lsn > this.#acknowledged) this.#acknowledged = lsn;
  }

  /** The server has sent everything up to `lsn`; `atMs` is its clock. */
  keepalive(lsn: Lsn, atMs: number, replyRequested: boolean): void {
    // Inside a transaction its changes would be left behind.
    if (this.#options.inTransaction()) return;
    if (this.#options.isSynchronous()) this.#advance(lsn, atMs, 'now');
    else if (replyRequested) {
      this.#requested = { lsn, atMs };
      this.#answer();
    } else if (lsn > this.#emitted && this.#acknowledged >= this.#emitted) this.#advance(lsn, atMs, 'ride');
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#requested = null;
  }

  #answer(): void {
    if (this.#timer !== null || this.#requested === null) return;
    const waitMs = this.#nextRequestAtMs - performance.now();
    if (waitMs > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#answer();
      }, waitMs);
      return;
    }
    const { lsn, atMs } = this.#requested;
    this.#requested = null;
    // Where a transaction has begun meanwhile, the server asks again after it.
    if (lsn <= this.#acknowledged || this.#options.inTransaction()) return;
    this.#nextRequestAtMs = performance.now() + requestIntervalMs;
    this.#advance(lsn, atMs, 'now');
  }

  /** Where nothing is new, an advance that is still riding is given out again for those who wait. */
  #advance(lsn: Lsn, atMs: number, urgency: Urgency): void {
    if (lsn <= this.#emitted && !(this.#riding && urgency === 'now')) return;
    const position = lsn > this.#emitted ? lsn : this.#emitted;
    this.#options.emit(idleAdvance({ position: formatLsn(position), atMs, id: '' }, urgency));
  }
}
