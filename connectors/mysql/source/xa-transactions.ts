import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { ByteReader } from './binlog/byte-reader.ts';
import type { BinlogEvent } from './binlog/event-framer.ts';
import type { OpenTransaction } from './open-transaction.ts';
import { PreparedTransactions } from './prepared-transactions.ts';
import type { Progress } from './progress.ts';

export interface XaOptions {
  readonly route: string;
  /** What prepared transactions may hold until they are decided. */
  readonly maxBytes: number;
  readonly progress: Progress;
  emit(part: TransactionPart): void;
  /** Takes from, or with a negative number gives back to, the route's byte budget. */
  hold(bytes: number): void;
}

/** XA transactions: logged when they are prepared, and decided by a transaction of its own later. */
export class XaTransactions {
  readonly #options: XaOptions;
  readonly #prepared: PreparedTransactions<OpenTransaction>;

  constructor(options: XaOptions) {
    this.#options = options;
    this.#prepared = new PreparedTransactions(options.route, options.maxBytes, (bytes) => options.hold(bytes));
  }

  /** A part of a transaction that will be prepared. */
  hold(open: OpenTransaction, part: TransactionPart): void {
    this.#prepared.hold(open.parts, part, this.#options.progress.position);
  }

  /** Its end never comes. */
  forget({ parts }: OpenTransaction): void {
    this.#prepared.release(parts);
  }

  /** What is held is given back. */
  close(): void {
    this.#prepared.close();
  }

  /**
   * The end of one that is prepared: MySQL leaves a hole in the position until it is decided. Gives what is over with that: it was
   * committed in one phase, or has nothing for the route; null where it waits.
   */
  prepare(open: OpenTransaction, event: BinlogEvent): OpenTransaction | null {
    const reader = new ByteReader(event.bytes, event.start, event.end);
    const onePhase = reader.uint(1) !== 0;
    if (onePhase) {
      this.#release(open);
      return open;
    }
    reader.skip(4);
    const [global, branch] = [reader.uint(4), reader.uint(4)];
    const xid = `${reader.view(global).toString('hex')},${reader.view(branch).toString('hex')}`;
    if (open.skipped === 'applied') return open;
    if (open.name.kind !== 'gtid') {
      if (open.rows > 0) throw this.#refuse('only with GTIDs of MySQL its place is known after a restart');
      this.#prepared.passOver(xid);
      return { ...open, prepared: false };
    }
    this.#prepared.add(xid, open, { bytes: open.builder.mark.bytes, position: this.#options.progress.position });
    return null;
  }

  /** XA COMMIT or XA ROLLBACK, which `open` is. Gives the transaction that ends with it. */
  decide(open: OpenTransaction, text: string, commits: boolean): OpenTransaction {
    if (open.skipped === 'applied') return open;
    const xid = /^\s*XA\s+\w+\s+X'([0-9a-f]*)',X'([0-9a-f]*)'/i.exec(text);
    const decided = this.#prepared.take(`${xid?.[1] ?? ''},${xid?.[2] ?? ''}`.toLowerCase());
    // With GTIDs of MySQL one that the route has met is read again as long as it is not decided. Elsewhere it was prepared before the stream began and has no
    // rows for the route: those halt at their prepare, and the copy that a route begins with waits until none is prepared that has touched its tables.
    if (decided === null && commits && open.name.kind === 'gtid')
      throw this.#refuse('it was prepared before the route began');
    if (decided === null || decided === 'passed') return open;
    this.#options.progress.add(decided.name);
    if (!commits) {
      this.#prepared.release(decided.parts);
      return open;
    }
    this.#options.progress.add(open.name);
    this.#release(decided);
    return { ...decided, name: open.name, commitId: open.commitId, atMicros: open.atMicros };
  }

  /** What was held goes out. */
  #release(open: OpenTransaction): void {
    open.prepared = false;
    for (const part of this.#prepared.release(open.parts)) this.#options.emit(part);
  }

  #refuse(why: string): TidelockError {
    const { route, progress } = this.#options;
    return fail(sourceErrors.preparedTransaction, { route, position: progress.position, why });
  }
}
