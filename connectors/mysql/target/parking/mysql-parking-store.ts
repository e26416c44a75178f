import type { ParkedCause, ParkedCount } from '../../../../src/core/parked.ts';
import type { Position } from '../../../../src/core/position.ts';
import type { TransactionPart } from '../../../../src/core/transaction.ts';
import type { Claim } from '../../../sql/parking/claim-set.ts';
import type { Decision, ParkedPart, ParkedWhole, ParkingStore, ParkWhy } from '../../../sql/parking/parking-store.ts';
import type { MysqlSession } from '../../connect.ts';
import { parkedSince, raiseCompatible } from '../../state/state-schema.ts';
import { nowMs } from '../../state/statements.ts';

/** In hexadecimal a chunk is twice as long, and the smallest message that a server takes is some megabytes. */
const chunkBytes = 1_000_000;
/** Keys of one statement. */
const keysAtOnce = 1_000;

export interface ParkingStoreOptions {
  readonly session: MysqlSession;
  readonly routeId: number;
}

export class MysqlParkingStore implements ParkingStore {
  readonly #options: ParkingStoreOptions;

  constructor(options: ParkingStoreOptions) {
    this.#options = options;
  }

  async count(): Promise<ParkedCount> {
    const { session, routeId } = this.#options;
    const [row] = await session.query(
      `select count(*), (select position from tidelock.parked where route_id = ? order by id limit 1) from tidelock.parked where route_id = ?`,
      [routeId, routeId],
    );
    return { count: Number(row?.[0] ?? 0), since: (row?.[1] ?? null) as Position | null };
  }

  async resources(): Promise<readonly { resource: string; exclusive: boolean; digests: number }[]> {
    const { session, routeId } = this.#options;
    const rows = await session.query(
      `select resource, is_exclusive, count(distinct digest) as digests from tidelock.parked_keys where route_id = ?
       group by resource, is_exclusive order by digests`,
      [routeId],
    );
    return rows.map(([resource, exclusive, digests]) => ({
      resource: resource ?? '',
      exclusive: exclusive === '1',
      digests: Number(digests),
    }));
  }

  async digests(resource: string, exclusive: boolean): Promise<readonly (number | null)[]> {
    const { session, routeId } = this.#options;
    const rows = await session.query(
      'select distinct digest from tidelock.parked_keys where route_id = ? and resource = ? and is_exclusive = ?',
      [routeId, resource, exclusive ? 1 : 0],
    );
    return rows.map(([digest]) => (digest ? Number(digest) : null));
  }

  async decision(): Promise<Decision | null> {
    const { session, routeId } = this.#options;
    const [row] = await session.query(
      'select transaction_id, position, cause, code, message, remedy, reason, asked_by from tidelock.skips where route_id = ?',
      [routeId],
    );
    if (row === undefined) return null;
    const [transaction, position, cause, code, message, remedy, reason, askedBy] = row;
    return {
      transaction: transaction ?? '',
      position: (position ?? null) as Position | null,
      why: {
        cause: cause as ParkedCause,
        code: code ?? '',
        message: message ?? '',
        remedy: remedy ?? '',
        reason: reason ?? null,
        askedBy: askedBy ?? null,
      },
    };
  }

  async decide(part: TransactionPart, { cause, code, message, remedy, reason, askedBy }: ParkWhy): Promise<void> {
    const { session, routeId } = this.#options;
    await raiseCompatible(session, parkedSince);
    await session.change('delete from tidelock.skips where route_id = ?', [routeId]);
    await session.change(
      `insert into tidelock.skips (route_id, transaction_id, position, cause, code, message, remedy, reason, asked_by) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [routeId, part.id, part.commit?.position ?? null, cause, code, message, remedy, reason, askedBy],
    );
  }

  async voidDecision({ transaction, position }: Decision): Promise<void> {
    const { session, routeId } = this.#options;
    const isIt = 'route_id = ? and transaction_id = ? and position <=> ?';
    await session.change(
      `insert into tidelock.journal (route_id, action, transaction_id, position, code, message, reason, asked_by)
       select route_id, 'skip void', transaction_id, position, code, message, reason, asked_by from tidelock.skips where ${isIt} and cause = 'skip'`,
      [routeId, transaction, position],
    );
    await session.change(`delete from tidelock.skips where ${isIt}`, [routeId, transaction, position]);
  }

  async useDecision(id: string, position: Position): Promise<void> {
    const { session, routeId } = this.#options;
    await session.change(
      `insert into tidelock.journal (route_id, action, transaction_id, position, parked_id, code, message, reason, asked_by)
       select route_id, 'skipped', transaction_id, ?, ?, code, message, reason, asked_by from tidelock.skips where route_id = ? and cause = 'skip'`,
      [position, id, routeId],
    );
    await session.change('delete from tidelock.skips where route_id = ?', [routeId]);
  }

  async begin(part: TransactionPart, { cause, code, message, remedy, reason, askedBy }: ParkWhy): Promise<string> {
    const { session, routeId } = this.#options;
    // An engine that does not know of parked transactions would apply what has to wait for them.
    await raiseCompatible(session, parkedSince);
    await session.change(
      `insert into tidelock.parked (route_id, transaction_id, position, commit_id, committed_at_ms, origin, cause, code, message, remedy, reason, asked_by,
         row_count, byte_count, tables, incomplete, parked_at_ms)
       values (?, ?, '', '', 0, ?, ?, ?, ?, ?, ?, ?, 0, 0, '[]', 0, ${nowMs})`,
      [routeId, part.id, JSON.stringify(part.origin), cause, code, message, remedy, reason, askedBy],
    );
    const [row] = await session.query('select last_insert_id()');
    return row?.[0] ?? '';
  }

  async addPart(id: string, { part, rows, changes }: ParkedPart): Promise<void> {
    for (let chunk = 0; chunk === 0 || chunk * chunkBytes < changes.length; chunk++)
      await this.#options.session.change(
        'insert into tidelock.parked_parts (parked_id, part, chunk, row_count, changes) values (?, ?, ?, ?, ?)',
        [id, part, chunk, rows, changes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes)],
      );
  }

  async addClaims(id: string, claims: readonly Claim[]): Promise<void> {
    const { session, routeId } = this.#options;
    const nameOf = ({ resource, exclusive, digest }: Claim): string => JSON.stringify([resource, exclusive, digest]);
    const there = new Set((await readClaims(session, Number(id))).map(nameOf));
    const added = claims.filter((claim) => !there.has(nameOf(claim)));
    for (let at = 0; at < added.length; at += keysAtOnce) {
      const some = added.slice(at, at + keysAtOnce);
      await session.change(
        `insert into tidelock.parked_keys (parked_id, route_id, resource, is_exclusive, digest) values ${some.map(() => '(?, ?, ?, ?, ?)').join(', ')}`,
        some.flatMap(({ resource, exclusive, digest }) => [id, routeId, resource, exclusive ? 1 : 0, digest]),
      );
    }
  }

  async dropClaims(id: string, { resource, exclusive }: Pick<Claim, 'resource' | 'exclusive'>): Promise<void> {
    await this.#options.session.change(
      'delete from tidelock.parked_keys where parked_id = ? and resource = ? and is_exclusive = ?',
      [id, resource, exclusive ? 1 : 0],
    );
  }

  async finish(id: string, { commit, rows, bytes, incomplete, tables }: ParkedWhole): Promise<void> {
    await this.#options.session.change(
      `update tidelock.parked set position = ?, commit_id = ?, committed_at_ms = ?, row_count = ?, byte_count = ?, tables = ?, incomplete = ? where id = ?`,
      [commit.position, commit.id, commit.atMs, rows, bytes, JSON.stringify(tables), incomplete ? 1 : 0, id],
    );
  }
}

export async function readClaims(session: MysqlSession, id: number): Promise<readonly Claim[]> {
  const rows = await session.query(
    'select resource, is_exclusive, digest from tidelock.parked_keys where parked_id = ?',
    [id],
  );
  return rows.map(([resource, exclusive, digest]) => ({
    resource: resource ?? '',
    exclusive: exclusive === '1',
    digest: digest ? Number(digest) : null,
  }));
}
