import { AwaitedWatermarks, streamEnded } from '../../sql/awaited-watermarks.ts';
import { openIn, overIn, precedes } from './snapshot-text.ts';

/**
 * Which transactions the stream has brought, for those who read the source beside it. PostgreSQL can deliver a transaction
 * before a new snapshot sees it: its commit record is in the WAL by then, and its session has yet to say that it is over. With a
 * synchronous standby that takes until the standby, which may be this route, has answered.
 */
export class DeliveredTransactions {
  /** In the order of their commits; those that every new snapshot sees are left out. */
  #recent: string[] = [];
  /** Of the newest snapshot that is known: the first id that it has not met. */
  #next: string | null = null;
  /** By that snapshot. */
  #isOver: (xid: string) => boolean = () => false;
  readonly #watermarks = new AwaitedWatermarks();
  /** The process before is accounted for. */
  #isBegun = false;

  /** What the stream before has brought and a snapshot may not see yet does not come again. */
  constructor(before: DeliveredTransactions | null = null) {
    if (before === null) return;
    this.#recent = [...before.#recent];
    this.#isBegun = before.#isBegun;
  }

  /**
   * With a snapshot of before the stream. The first stream of a process knows nothing of what another one was brought, has applied and is
   * told no more. Where COMMITs wait for synchronous standbys (and this route need not be the only one of them), any transaction that is
   * open may be such a one for as long as that takes: a chunk that was read without it would undo it at the target for good. Without
   * standbys one is open for microseconds after it was brought, and a process takes longer to begin.
   */
  begin(snapshot: string, { waitsForStandbys }: { readonly waitsForStandbys: boolean }): void {
    if (!this.#isBegun && waitsForStandbys) this.#recent.push(...openIn(snapshot));
    this.#isBegun = true;
    this.seen(snapshot);
  }

  /** Of a backlog none is kept: it was over when the stream began. */
  committed(xid: string): void {
    if (!this.#isOver(xid)) this.#recent.push(xid);
  }

  /** Taken at the source, before this was called. One that a heartbeat of a backlog brings is older than that of the start, and tells nothing. */
  seen(snapshot: string): void {
    const [, next = ''] = snapshot.split(':');
    if (this.#next !== null && precedes(next, this.#next)) return;
    this.#next = next;
    this.#isOver = overIn(snapshot);
    this.#recent = this.#recent.filter((xid) => !this.#isOver(xid));
  }

  /** The stream has come to it. Its own transaction is not over yet, and no matter. */
  watermark(id: string): void {
    this.#watermarks.come(id);
  }

  /** To be asked before the watermark is written. */
  expect(id: string, signal: AbortSignal): Promise<void> {
    return this.#watermarks.expect(id, signal);
  }

  /** What has come so far, but for what every snapshot from now on sees. */
  pending(): readonly string[] {
    if (this.#watermarks.ended) throw streamEnded();
    return [...this.#recent];
  }

  /** No watermark comes any more. */
  end(): void {
    this.#watermarks.end();
  }
}
