import { type Change, isRowChange } from '../../../src/core/change.ts';
import { areUnchecked, ChangeDecoder } from '../../../src/core/change-codec.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { OnRefused } from '../../../src/core/target.ts';
import { type Group, groupOf } from '../apply/group.ts';
import { ClaimSet } from './claim-set.ts';
import type { ParkedHead, ParkedWorkStore, StoredRequest } from './parked-work-store.ts';

/** Digests of what stays parked while others are tried, about 20 MB. */
const stayingDigests = 200_000;

export interface ParkedWorkOptions {
  readonly store: ParkedWorkStore;
  readonly route: string;
  /** As in ConsumerOptions. */
  map(changes: Change[], position: string, onRefused?: OnRefused): Promise<Change[]>;
}

/** The Consumer's part: target transactions under the route's epoch. */
export interface ParkedWorker {
  /** Applies groups of one parked transaction, the last of which commits. Throws with everything rolled back. */
  apply(groups: AsyncIterable<Group>): Promise<void>;
  /** True for an error of the transaction itself, after which the others can still be tried. */
  isOfTheRows(error: TidelockError): boolean;
  /**
   * Reads the old values of the rows of one that stays parked, as they are now, and adds what it holds by them. Returns why they can't be read: from then on
   * all that comes waits for it.
   */
  claimAgain(id: number, groups: AsyncIterable<Group>): Promise<TidelockError | null>;
  /** Runs statements in one target transaction. */
  transaction(run: () => Promise<void>): Promise<void>;
}

/**
 * Retries and discards. Each parked transaction is applied in one target transaction, in which it also leaves the store
 * and the journal gets its line: killed anywhere, it is either parked or applied, and a request that is taken up again
 * goes on with what is left. In source order; one that fails stays with its new error, and those that touch its keys
 * wait with it.
 */
export class ParkedWork {
  readonly #options: ParkedWorkOptions;

  constructor(options: ParkedWorkOptions) {
    this.#options = options;
  }

  requests(): Promise<readonly StoredRequest[]> {
    return this.#options.store.requests();
  }

  /** Returns early, with the request still stored, where the signal aborts. */
  async carryOut(request: StoredRequest, worker: ParkedWorker, signal: AbortSignal): Promise<void> {
    const waiting = await (request.action === 'retry'
      ? this.#retryChosen(request, worker, signal)
      : this.#discardChosen(request, worker, signal));
    if (waiting === null) return;
    await worker.transaction(() => this.#options.store.done(request.id, waiting.slice(0, 1_000)));
  }

  /**
   * Before anything new is applied, where a request was cut short: what it has applied may be rows whose old values others have yet to claim. Returns
   * whether one was.
   */
  async takeUp(worker: ParkedWorker): Promise<boolean> {
    const request = (await this.requests()).find(({ action }) => action === 'retry');
    if (request === undefined) return false;
    for (const id of await this.#options.store.incomplete()) await this.#complete(id, request, worker);
    return true;
  }

  /** Those that wait for others; null where the signal has aborted. */
  async #retryChosen(
    request: StoredRequest,
    worker: ParkedWorker,
    signal: AbortSignal,
  ): Promise<readonly number[] | null> {
    const { store } = this.#options;
    const waiting: number[] = [];
    // What those hold that stay parked: whoever touches it stays, too.
    const staying = new ClaimSet(stayingDigests);
    const incomplete = new Set(await store.incomplete());
    // With the old values of rows that one before it may just have brought: whoever comes later is held against them, too.
    const claimsOf = async (id: number) => {
      if (incomplete.delete(id)) await this.#complete(id, request, worker);
      return await store.claims(id);
    };
    for (const { id, isChosen } of await this.#chosen(request)) {
      if (signal.aborted) return null;
      const claims = staying.empty && isChosen ? null : await claimsOf(id);
      const isFree = isChosen && !claims?.some((claim) => staying.conflicts(claim));
      if (isFree && (await this.#retry(id, request, worker))) continue;
      if (isChosen && !isFree) waiting.push(id);
      for (const claim of claims ?? (await claimsOf(id))) staying.add(claim);
    }
    // Also where nothing has left the store: a crash may have come between.
    for (const id of incomplete) await this.#complete(id, request, worker);
    return waiting;
  }

  async #discardChosen(request: StoredRequest, worker: ParkedWorker, signal: AbortSignal): Promise<readonly [] | null> {
    for (const { id, isChosen } of await this.#chosen(request)) {
      if (signal.aborted) return null;
      if (isChosen) await worker.transaction(() => this.#options.store.remove(id, request.id, 'discarded'));
    }
    return [];
  }

  /** In the target transaction that has applied it: it leaves the store. */
  async unpark({ id, request }: { readonly id: number; readonly request: number }): Promise<void> {
    await this.#options.store.remove(id, request, 'retried');
  }

  /**
   * Of one that was parked while its rows were not at the target: now that these may have come, their old values
   * are read. Before the request is done, so that a crash in between does it again, and nothing is applied meanwhile.
   */
  async #complete(id: number, request: StoredRequest, worker: ParkedWorker): Promise<void> {
    const { store, route } = this.#options;
    const head = await store.head(id);
    if (head === null) return;
    const failure = await worker.claimAgain(id, this.#groups(head, request.id, 'whatIsMapped'));
    if (failure === null) return;
    const error = fail(targetErrors.parkedUnread, { route, id, why: failure.message }, failure);
    await worker.transaction(() => store.failed(head, request.id, error));
  }

  /** In source order, with those between them that are not asked for. */
  async #chosen({
    ids,
    withEarlier,
  }: StoredRequest): Promise<readonly { readonly id: number; readonly isChosen: boolean }[]> {
    const { store } = this.#options;
    const wanted = ids === null ? null : withEarlier ? [...ids, ...(await store.earlier(ids))] : ids;
    const last = wanted === null ? null : Math.max(0, ...wanted);
    const there = await store.upTo(last);
    return there.map((id) => ({ id, isChosen: wanted === null || wanted.includes(id) }));
  }

  /** False where it was refused and stays. */
  async #retry(id: number, request: StoredRequest, worker: ParkedWorker): Promise<boolean> {
    const head = await this.#options.store.head(id);
    if (head === null) return true;
    try {
      await worker.apply(this.#groups(head, request.id));
      return true;
    } catch (error) {
      const failure = error as TidelockError;
      if (!worker.isOfTheRows(failure)) throw error;
      await worker.transaction(() => this.#options.store.failed(head, request.id, failure));
      return false;
    }
  }

  /** `whatIsMapped`: without those that had no value or form when they were parked, and have none; others that have none by now are unmapped. */
  async *#groups(head: ParkedHead, request: number, which: 'all' | 'whatIsMapped' = 'all'): AsyncGenerator<Group> {
    const { store, route, map } = this.#options;
    const decoder = new ChangeDecoder();
    const { id, transaction, commit, origin } = head;
    const parts = await store.parts(id);
    for (let part = 0; part < parts; part++) {
      const bytes = await store.part(id, part);
      if (bytes === null) throw fail(targetErrors.storedChanges, { route, id, why: `part ${part} is missing` });
      let changes: Change[];
      const unmapped: Change[] = [];
      // What was unmapped before has claimed all that it could hold (Parking).
      const onRefused: OnRefused = (change) => {
        if (isRowChange(change)) unmapped.push({ kind: 'unmapped', change, tables: [change.table] });
      };
      try {
        const stored = decoder.decode(bytes);
        changes = await (which === 'all' ? map(stored, commit.position) : map(stored, commit.position, onRefused));
        changes.push(...unmapped);
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
        throw fail(targetErrors.storedChanges, { route, id, why: error.message }, error);
      }
      yield {
        ...groupOf([
          {
            id: transaction,
            origin,
            changes,
            rows: changes.filter(isRowChange).length,
            bytes: bytes.length,
            commit: part === parts - 1 ? commit : null,
            urgency: 'ride',
            ...(areUnchecked(bytes) && { unchecked: true }),
          },
        ]),
        parked: { id, request },
      };
    }
  }
}
