import type pg from 'pg';
import type { TidelockError } from '../../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../../src/core/position.ts';
import type { Origin } from '../../../../src/core/transaction.ts';
import type { Claim } from '../../../sql/parking/claim-set.ts';
import type { ParkedHead, ParkedWorkStore, StoredRequest } from '../../../sql/parking/parked-work-store.ts';
import { readEarlier } from '../../state/parked-conflicts.ts';

export interface ParkedWorkStoreOptions {
  readonly client: pg.Client;
  readonly routeId: number;
}

export class PostgresParkedWorkStore implements ParkedWorkStore {
  readonly #options: ParkedWorkStoreOptions;

  constructor(options: ParkedWorkStoreOptions) {
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

  async upTo(last: number | null): Promise<readonly number[]> {
    const { client, routeId } = this.#options;
    const { rows } = await client.query<{ id: string }>(
      'select p.id::text from tidelock.parked p where p.route_id = $1 and p.id <= coalesce($2, p.id) order by p.id',
      [routeId, last],
    );
    return rows.map(({ id }) => Number(id));
  }

  earlier(ids: readonly number[]): Promise<readonly number[]> {
    return readEarlier(this.#options.client, ids);
  }

  async claims(id: number): Promise<readonly Claim[]> {
    const { rows } = await this.#options.client.query<{ resource: string; exclusive: boolean; digest: string | null }>(
      'select resource, exclusive, digest::text from tidelock.parked_keys where parked_id = $1',
      [id],
    );
    return rows.map(({ digest, ...claim }) => ({ ...claim, digest: digest === null ? null : Number(digest) }));
  }

  async head(id: number): Promise<ParkedHead | null> {
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

  async parts(id: number): Promise<number> {
    const { rows } = await this.#options.client.query<{ parts: number }>(
      'select count(*)::int as parts from tidelock.parked_parts where parked_id = $1',
      [id],
    );
    return rows[0]?.parts ?? 0;
  }

  async part(id: number, part: number): Promise<Buffer | null> {
    const { rows } = await this.#options.client.query<{ changes: Buffer }>(
      'select changes from tidelock.parked_parts where parked_id = $1 and part = $2',
      [id, part],
    );
    return rows[0]?.changes ?? null;
  }

  async incomplete(): Promise<readonly number[]> {
    const { rows } = await this.#options.client.query<{ id: string }>(
      'select id::text from tidelock.parked where route_id = $1 and incomplete order by tidelock.parked.id',
      [this.#options.routeId],
    );
    return rows.map(({ id }) => Number(id));
  }

  async failed(head: ParkedHead, request: number, { code, message, remedy }: TidelockError): Promise<void> {
    const { client, routeId } = this.#options;
    await client.query(
      'update tidelock.parked set code = $2, message = $3, remedy = $4, attempts = attempts + 1 where id = $1',
      [head.id, code, message, remedy],
    );
    await client.query(
      `insert into tidelock.journal (route_id, action, transaction_id, position, parked_id, request_id, code, message, reason, asked_by)
       select $1, 'retry failed', $2, $3, $4, id, $6, $7, reason, asked_by from tidelock.parking_requests where id = $5`,
      [routeId, head.transaction, head.commit.position, head.id, request, code, message],
    );
  }

  /** Foreign keys do nothing in a session under the replica role: the rows of all tables are deleted one by one. */
  async remove(id: number, request: number, action: 'retried' | 'discarded'): Promise<void> {
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

  async done(request: number, waiting: readonly number[]): Promise<void> {
    await this.#options.client.query(
      'update tidelock.parking_requests set done_at = clock_timestamp(), waiting = $2 where id = $1',
      [request, waiting],
    );
  }
}
