import type pg from 'pg';
import type { ParkedCount } from '../../../../src/core/parked.ts';
import type { Position } from '../../../../src/core/position.ts';
import type { TransactionPart } from '../../../../src/core/transaction.ts';
import type { Claim } from '../../../sql/parking/claim-set.ts';
import type { Decision, ParkedPart, ParkedWhole, ParkingStore, ParkWhy } from '../../../sql/parking/parking-store.ts';
import { readParkedCount } from '../../state/postgres-parked-store.ts';
import { stateVersion } from '../../state/state-schema.ts';

export interface ParkingStoreOptions {
  readonly client: pg.Client;
  readonly routeId: number;
  readonly routeKey: string;
}

export class PostgresParkingStore implements ParkingStore {
  readonly #options: ParkingStoreOptions;

  constructor(options: ParkingStoreOptions) {
    this.#options = options;
  }

  count(): Promise<ParkedCount> {
    return readParkedCount(this.#options.client, stateVersion, this.#options.routeKey);
  }

  async resources(): Promise<readonly { resource: string; exclusive: boolean; digests: number }[]> {
    const { client, routeId } = this.#options;
    const { rows } = await client.query<{ resource: string; exclusive: boolean; digests: number }>(
      `select resource, exclusive, count(distinct digest)::int as digests from tidelock.parked_keys
       where route_id = $1 group by resource, exclusive order by digests`,
      [routeId],
    );
    return rows;
  }

  async digests(resource: string, exclusive: boolean): Promise<readonly (number | null)[]> {
    const { client, routeId } = this.#options;
    const { rows } = await client.query<{ digest: string | null }>(
      `select distinct digest::text from tidelock.parked_keys where route_id = $1 and resource = $2 and exclusive = $3`,
      [routeId, resource, exclusive],
    );
    return rows.map(({ digest }) => (digest === null ? null : Number(digest)));
  }

  async decision(): Promise<Decision | null> {
    const { client, routeId } = this.#options;
    const { rows } = await client.query<ParkWhy & { transaction: string; position: Position | null }>(
      `select transaction_id as transaction, position, cause, code, message, remedy, reason, asked_by as "askedBy"
       from tidelock.skips where route_id = $1`,
      [routeId],
    );
    if (rows[0] === undefined) return null;
    const { transaction, position, ...why } = rows[0];
    return { transaction, position, why };
  }

  async decide(part: TransactionPart, why: ParkWhy): Promise<void> {
    const { cause, code, message, remedy, reason, askedBy } = why;
    await this.#options.client.query(
      `insert into tidelock.skips (route_id, transaction_id, position, cause, code, message, remedy, reason, asked_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (route_id) do update set transaction_id = excluded.transaction_id, position = excluded.position,
         cause = excluded.cause, code = excluded.code, message = excluded.message, remedy = excluded.remedy,
         reason = excluded.reason, asked_by = excluded.asked_by, asked_at = now()`,
      [this.#options.routeId, part.id, part.commit?.position ?? null, cause, code, message, remedy, reason, askedBy],
    );
  }

  async voidDecision({ transaction, position }: Decision): Promise<void> {
    const { client, routeId } = this.#options;
    await client.query(
      `with void as (
         delete from tidelock.skips where route_id = $1 and transaction_id = $2 and position is not distinct from $3 returning *)
       insert into tidelock.journal (route_id, action, transaction_id, position, code, message, reason, asked_by)
       select $1, 'skip void', transaction_id, position, code, message, reason, asked_by from void where cause = 'skip'`,
      [routeId, transaction, position],
    );
  }

  async useDecision(id: string, position: Position): Promise<void> {
    const { client, routeId } = this.#options;
    await client.query(
      `with used as (delete from tidelock.skips where route_id = $1 returning *)
       insert into tidelock.journal (route_id, action, transaction_id, position, parked_id, code, message, reason, asked_by)
       select $1, 'skipped', transaction_id, $3, $2, code, message, reason, asked_by from used where cause = 'skip'`,
      [routeId, id, position],
    );
  }

  async begin(part: TransactionPart, why: ParkWhy): Promise<string> {
    const { client, routeId } = this.#options;
    const { cause, code, message, remedy, reason, askedBy } = why;
    const { rows } = await client.query<{ id: string }>(
      `insert into tidelock.parked (route_id, transaction_id, position, commit_id, committed_at_ms, origin, cause, code,
         message, remedy, reason, asked_by, rows, bytes, tables, incomplete)
       values ($1, $2, '', '', 0, $3, $4, $5, $6, $7, $8, $9, 0, 0, '[]', false) returning id::text`,
      [routeId, part.id, JSON.stringify(part.origin), cause, code, message, remedy, reason, askedBy],
    );
    return rows[0]?.id ?? '';
  }

  async addPart(id: string, { part, rows, changes }: ParkedPart): Promise<void> {
    const text = 'insert into tidelock.parked_parts (parked_id, part, rows, changes) values ($1, $2, $3, $4)';
    await this.#options.client.query(text, [id, part, rows, changes]);
  }

  async addClaims(id: string, claims: readonly Claim[]): Promise<void> {
    const { client, routeId } = this.#options;
    await client.query(
      `insert into tidelock.parked_keys (parked_id, route_id, resource, exclusive, digest)
       select $1, $2, * from unnest($3::text[], $4::bool[], $5::bigint[])
       except select parked_id, route_id, resource, exclusive, digest from tidelock.parked_keys where parked_id = $1`,
      [
        id,
        routeId,
        claims.map(({ resource }) => resource),
        claims.map(({ exclusive }) => exclusive),
        claims.map(({ digest }) => digest),
      ],
    );
  }

  async dropClaims(id: string, { resource, exclusive }: Pick<Claim, 'resource' | 'exclusive'>): Promise<void> {
    const text = 'delete from tidelock.parked_keys where parked_id = $1 and resource = $2 and exclusive = $3';
    await this.#options.client.query(text, [id, resource, exclusive]);
  }

  async finish(id: string, { commit, rows, bytes, incomplete, tables }: ParkedWhole): Promise<void> {
    await this.#options.client.query(
      `update tidelock.parked set position = $2, commit_id = $3, committed_at_ms = $4, rows = $5, bytes = $6,
         tables = $7, incomplete = $8 where id = $1`,
      [id, commit.position, commit.id, commit.atMs, rows, bytes, JSON.stringify(tables), incomplete],
    );
  }
}
