import type { TidelockError } from '../../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../../src/core/position.ts';
import type { Claim } from '../../../sql/parking/claim-set.ts';
import type { ParkedHead, ParkedWorkStore, StoredRequest } from '../../../sql/parking/parked-work-store.ts';
import { readParkedPart } from '../../state/mysql-parked-store.ts';
import { readEarlier } from '../../state/parked-conflicts.ts';
import { nowMs, parsedJson } from '../../state/statements.ts';
import { type ParkingStoreOptions, readClaims } from './mysql-parking-store.ts';

export class MysqlParkedWorkStore implements ParkedWorkStore {
  readonly #options: ParkingStoreOptions;

  constructor(options: ParkingStoreOptions) {
    this.#options = options;
  }

  async requests(): Promise<readonly StoredRequest[]> {
    const { session, routeId } = this.#options;
    const rows = await session.query(
      'select id, action, ids, with_earlier from tidelock.parking_requests where route_id = ? and done_at_ms is null order by id',
      [routeId],
    );
    return rows.map(([id, action, ids, withEarlier]) => ({
      id: Number(id),
      action: action as StoredRequest['action'],
      ids: parsedJson<number[]>(ids),
      withEarlier: withEarlier === '1',
    }));
  }

  async upTo(last: number | null): Promise<readonly number[]> {
    const { session, routeId } = this.#options;
    const rows = await session.query(
      'select id from tidelock.parked where route_id = ? and id <= coalesce(?, id) order by id',
      [routeId, last],
    );
    return rows.map(([id]) => Number(id));
  }

  earlier(ids: readonly number[]): Promise<readonly number[]> {
    return readEarlier(this.#options.session, ids);
  }

  claims(id: number): Promise<readonly Claim[]> {
    return readClaims(this.#options.session, id);
  }

  async head(id: number): Promise<ParkedHead | null> {
    const [row] = await this.#options.session.query(
      'select transaction_id, position, commit_id, committed_at_ms, origin from tidelock.parked where id = ?',
      [id],
    );
    if (row === undefined) return null;
    const [transaction, position, commitId, atMs, origin] = row;
    return {
      id,
      transaction: transaction ?? '',
      commit: { position: (position ?? '') as Position, atMs: Number(atMs), id: commitId ?? '' },
      origin: parsedJson<ParkedHead['origin']>(origin) ?? [],
    };
  }

  async parts(id: number): Promise<number> {
    const [row] = await this.#options.session.query(
      'select count(distinct part) from tidelock.parked_parts where parked_id = ?',
      [id],
    );
    return Number(row?.[0] ?? 0);
  }

  part(id: number, part: number): Promise<Buffer | null> {
    return readParkedPart(this.#options.session, id, part);
  }

  async incomplete(): Promise<readonly number[]> {
    const { session, routeId } = this.#options;
    const rows = await session.query(
      'select id from tidelock.parked where route_id = ? and incomplete = 1 order by id',
      [routeId],
    );
    return rows.map(([id]) => Number(id));
  }

  async failed(head: ParkedHead, request: number, { code, message, remedy }: TidelockError): Promise<void> {
    const { session, routeId } = this.#options;
    await session.change(
      'update tidelock.parked set code = ?, message = ?, remedy = ?, attempts = attempts + 1 where id = ?',
      [code, message, remedy, head.id],
    );
    await session.change(
      `insert into tidelock.journal (route_id, action, transaction_id, position, parked_id, request_id, code, message, reason, asked_by)
       select ?, 'retry failed', ?, ?, ?, id, ?, ?, reason, asked_by from tidelock.parking_requests where id = ?`,
      [routeId, head.transaction, head.commit.position, head.id, code, message, request],
    );
  }

  /** Foreign keys may do nothing in the session that applies: the rows of all tables are deleted one by one. */
  async remove(id: number, request: number, action: 'retried' | 'discarded'): Promise<void> {
    const { session, routeId } = this.#options;
    await session.change(
      `insert into tidelock.journal (route_id, action, transaction_id, position, parked_id, request_id, code, message, reason, asked_by)
       select ?, ?, p.transaction_id, p.position, p.id, ?, p.code, p.message, q.reason, q.asked_by
       from tidelock.parked p left join tidelock.parking_requests q on q.id = ? where p.id = ?`,
      [routeId, action, request, request, id],
    );
    for (const table of ['parked_parts', 'parked_keys'])
      await session.change(`delete from tidelock.${table} where parked_id = ?`, [id]);
    await session.change('delete from tidelock.parked where id = ?', [id]);
  }

  async done(request: number, waiting: readonly number[]): Promise<void> {
    await this.#options.session.change(
      `update tidelock.parking_requests set done_at_ms = ${nowMs}, waiting = ? where id = ?`,
      [JSON.stringify(waiting), request],
    );
  }
}
