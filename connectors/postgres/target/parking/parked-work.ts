import type pg from 'pg';
import { type Change, isRowChange } from '../../../../src/core/change.ts';
import { ChangeDecoder } from '../../../../src/core/change-codec.ts';
import { targetErrors } from '../../../../src/core/errors/catalogue/target.ts';
import { fail, type TidelockError } from '../../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../../src/core/position.ts';
import type { Commit, Origin } from '../../../../src/core/transaction.ts';
import { type Group, groupOf } from '../../../sql/apply/group.ts';
import { readEarlier } from '../../state/parked-conflicts.ts';
import { type Claim, ClaimSet } from './claim-set.ts';

/** Digests of what stays parked while others are tried, about 20 MB. */
const stayingDigests = 200_000;

/** What somebody has asked, as stored. */
export interface StoredRequest {
  readonly id: number;
  readonly action: 'retry' | 'discard';
  readonly ids: readonly number[] | null;
  readonly withEarlier: boolean;
}

interface ParkedHead {
  readonly id: number;
  readonly transaction: string;
  readonly commit: Commit;
  readonly origin: Origin;
}

export interface ParkedWorkOptions {
  readonly client: pg.Client;
  readonly routeId: number;
  readonly route: string;
  /** Maps what could not be mapped when it was parked. Throws (halt) where it still can't. */
  map(changes: Change[], position: string): Change[];
}

/** The Consumer's part: target transactions under the route's epoch. */
export interface ParkedWorker {
  /** Applies groups of one parked transaction, the last of which commits. Throws with everything rolled back. */
  apply(groups: AsyncIterable<Group>): Promise<void>;
  /** True for an error of the transaction itself, after which the others can still be tried. */
  isOfTheRows(error: TidelockError): boolean;
  /** Reads the old values of the rows of one that stays parked, as they are now, and adds what it holds by them. */
  claimAgain(id: number, groups: AsyncIterable<Group>): Promise<void>;
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

  async requests(): Promise<readonly StoredRequest[]> {
    const { rows } = await this.#options.client.query<{
      id: string;
      action: 'retry' | 'discard';
      ids: string[] | null;
      with_earlier: boolean;
    }>(
      `select id::text, action, ids::text[], with_earlier from tidelock.parking_requests
       where route_id = $1 and done_at is null order by id`,
      [this.#options.routeId],
    );
    return rows.map(({ id, action, ids, with_earlier }) => ({
      id: Number(id),
      action,
      ids: ids?.map(Number) ?? null,
      withEarlier: with_earlier,
    }));
  }

  /** Returns early, with the request still stored, where the signal aborts. */
  async carryOut(request: StoredRequest, worker: ParkedWorker, signal: AbortSignal): Promise<void> {
    const waiting: number[] = [];
    // What those hold that stay parked: whoever touches it stays, too.
    const staying = new ClaimSet(stayingDigests);
    let isLess = false;
    for (const { id, isChosen } of await this.#chosen(request)) {
      if (signal.aborted) return;
      if (request.action === 'discard') {
        if (isChosen) await worker.transaction(() => this.#discard(id, request));
        continue;
      }
      const claims = staying.empty && isChosen ? null : await this.#claims(id);
      const isFree = isChosen && !claims?.some((claim) => staying.conflicts(claim));
      if (isFree && (await this.#retry(id, request, worker))) {
        isLess = true;
        continue;
      }
      if (isChosen && !isFree) waiting.push(id);
      for (const claim of claims ?? (await this.#claims(id))) staying.add(claim);
    }
    if (isLess) await this.#complete(request, worker);
    const { client } = this.#options;
    await worker.transaction(async () => {
      await client.query(
        'update tidelock.parking_requests set done_at = clock_timestamp(), waiting = $2 where id = $1',
        [request.id, waiting.slice(0, 1_000)],
      );
    });
  }

  /** In the target transaction that has applied it: it leaves the store. */
  async unpark({ id, request }: { readonly id: number; readonly request: number }): Promise<void> {
    await this.#remove(id, request, 'retried');
  }

  /**
   * Of those that were parked while their rows were not at the target: now that these may have come, their old values
   * are read. Before the request is done, so that a crash in between does it again, and nothing is applied meanwhile.
   */
  async #complete(request: StoredRequest, worker: ParkedWorker): Promise<void> {
    const { client, routeId } = this.#options;
    const { rows } = await client.query<{ id: string }>(
      'select id::text from tidelock.parked where route_id = $1 and incomplete order by tidelock.parked.id',
      [routeId],
    );
    for (const { id } of rows) {
      const head = await this.#head(Number(id));
      if (head !== null) await worker.claimAgain(head.id, this.#groups(head, request.id));
    }
  }

  /** In source order, with those between them that are not asked for. */
  async #chosen({
    ids,
    withEarlier,
  }: StoredRequest): Promise<readonly { readonly id: number; readonly isChosen: boolean }[]> {
    const { client, routeId } = this.#options;
    const wanted = ids === null ? null : withEarlier ? [...ids, ...(await readEarlier(client, ids))] : ids;
    const { rows } = await client.query<{ id: string; chosen: boolean }>(
      `select p.id::text, $2::bigint[] is null or p.id = any ($2) as chosen from tidelock.parked p
       where p.route_id = $1 and p.id <= coalesce((select max(i) from unnest($2::bigint[]) i), p.id) order by p.id`,
      [routeId, wanted],
    );
    return rows.map(({ id, chosen }) => ({ id: Number(id), isChosen: chosen }));
  }

  async #claims(id: number): Promise<readonly Claim[]> {
    const { rows } = await this.#options.client.query<{ resource: string; exclusive: boolean; digest: string | null }>(
      'select resource, exclusive, digest::text from tidelock.parked_keys where parked_id = $1',
      [id],
    );
    return rows.map(({ digest, ...claim }) => ({ ...claim, digest: digest === null ? null : Number(digest) }));
  }

  /** False where it was refused and stays. */
  async #retry(id: number, request: StoredRequest, worker: ParkedWorker): Promise<boolean> {
    const head = await this.#head(id);
    if (head === null) return true;
    try {
      await worker.apply(this.#groups(head, request.id));
      return true;
    } catch (error) {
      const failure = error as TidelockError;
      if (!worker.isOfTheRows(failure)) throw error;
      await worker.transaction(() => this.#failed(head, request, failure));
      return false;
    }
  }

  async *#groups(head: ParkedHead, request: number): AsyncGenerator<Group> {
    const { client, route, map } = this.#options;
    const decoder = new ChangeDecoder();
    const { id, transaction, commit, origin } = head;
    const { rows } = await client.query<{ parts: number }>(
      'select count(*)::int as parts from tidelock.parked_parts where parked_id = $1',
      [id],
    );
    const parts = rows[0]?.parts ?? 0;
    for (let part = 0; part < parts; part++) {
      const stored = await client.query<{ changes: Buffer }>(
        'select changes from tidelock.parked_parts where parked_id = $1 and part = $2',
        [id, part],
      );
      const bytes = stored.rows[0]?.changes;
      if (bytes === undefined) throw fail(targetErrors.storedChanges, { route, id, why: `part ${part} is missing` });
      let changes: Change[];
      try {
        changes = map(decoder.decode(bytes), commit.position);
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
          },
        ]),
        parked: { id, request },
      };
    }
  }

  async #head(id: number): Promise<ParkedHead | null> {
    const { rows } = await this.#options.client.query<{
      transaction_id: string;
      position: Position;
      commit_id: string;
      committed_at_ms: number;
      origin: Origin;
    }>('select transaction_id, position, commit_id, committed_at_ms, origin from tidelock.parked where id = $1', [id]);
    const [row] = rows;
    if (row === undefined) return null;
    const commit = { position: row.position, atMs: row.committed_at_ms, id: row.commit_id };
    return { id, transaction: row.transaction_id, commit, origin: row.origin };
  }

  async #failed(head: ParkedHead, request: StoredRequest, { code, message, remedy }: TidelockError): Promise<void> {
    const { client, routeId } = this.#options;
    await client.query(
      'update tidelock.parked set code = $2, message = $3, remedy = $4, attempts = attempts + 1 where id = $1',
      [head.id, code, message, remedy],
    );
    await client.query(
      `insert into tidelock.journal (route_id, action, transaction_id, position, parked_id, request_id, code, message, reason, asked_by)
       select $1, 'retry failed', $2, $3, $4, id, $6, $7, reason, asked_by from tidelock.parking_requests where id = $5`,
      [routeId, head.transaction, head.commit.position, head.id, request.id, code, message],
    );
  }

  async #discard(id: number, request: StoredRequest): Promise<void> {
    await this.#remove(id, request.id, 'discarded');
  }

  /** Foreign keys do nothing in a session under the replica role: the rows of all tables are deleted one by one. */
  async #remove(id: number, request: number, action: 'retried' | 'discarded'): Promise<void> {
    const { client, routeId } = this.#options;
    for (const table of ['parked_parts', 'parked_keys'])
      await client.query(`delete from tidelock.${table} where parked_id = $1`, [id]);
    await client.query(
      `with gone as (delete from tidelock.parked where id = $1 returning *)
       insert into tidelock.journal (route_id, action, transaction_id, position, parked_id, request_id, code, message, reason, asked_by)
       select $3, $4, gone.transaction_id, gone.position, gone.id, $2, gone.code, gone.message, q.reason, q.asked_by
       from gone left join tidelock.parking_requests q on q.id = $2`,
      [id, request, routeId, action],
    );
  }
}
