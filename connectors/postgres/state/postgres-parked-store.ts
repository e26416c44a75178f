import type pg from 'pg';
import type { MakeEntry } from '../../../src/core/action.ts';
import type { Change } from '../../../src/core/change.ts';
import { ChangeDecoder } from '../../../src/core/change-codec.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type {
  ParkedCause,
  ParkedCount,
  ParkedKey,
  ParkedStore,
  ParkedTable,
  ParkedTransaction,
  ParkingOutcome,
  ParkingRequest,
  SkipRequest,
} from '../../../src/core/parked.ts';
import type { Position } from '../../../src/core/position.ts';
import { earliestConflicts, readEarlier } from './parked-conflicts.ts';
import { writeAction } from './postgres-action-journal.ts';
import { actionsSince, inTransaction, parkedSince } from './state-schema.ts';
import { requestChannel } from './wanted.ts';

interface ParkedRow {
  readonly id: string;
  readonly transaction_id: string;
  readonly position: Position;
  readonly committed_at_ms: number;
  readonly parked_at_ms: number;
  readonly cause: ParkedCause;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly reason: string | null;
  readonly asked_by: string | null;
  readonly behind: string | null;
  readonly rows: string;
  readonly bytes: string;
  readonly tables: ParkedTable[];
  readonly attempts: number;
}

interface JournalRow {
  readonly action: string;
  readonly parked_id: string;
  readonly code: string | null;
  readonly message: string | null;
}

export interface ParkedStoreOptions {
  readonly client: pg.Client;
  readonly route: string;
  /** deployment/route. */
  readonly routeKey: string;
  /** Runs one after the other with the other calls of the state store, and classifies errors. */
  run<T>(run: () => Promise<T>): Promise<T>;
  /** Throws where nothing is stored about the route. */
  routeId(): Promise<number>;
  /** Of the state schema; null where there is none. */
  stateVersion(): Promise<number | null>;
}

/** What is parked of one route, read on the connection of its state store. */
export class PostgresParkedStore implements ParkedStore {
  readonly #options: ParkedStoreOptions;

  constructor(options: ParkedStoreOptions) {
    this.#options = options;
  }

  list(): Promise<readonly ParkedTransaction[]> {
    return this.#options.run(async () => {
      if (!(await this.#isThere())) return [];
      const { rows } = await this.#options.client.query<ParkedRow>(
        `with waits as (${earliestConflicts})
         select p.id::text, p.transaction_id, p.position, p.committed_at_ms, p.cause, p.code, p.message, p.remedy,
           (extract(epoch from p.parked_at) * 1000)::float8 as parked_at_ms, p.reason, p.asked_by,
           w.behind::text, p.rows::text, p.bytes::text, p.tables, p.attempts
         from tidelock.parked p left join waits w on w.parked_id = p.id where p.route_id = $1 order by p.id`,
        [await this.#options.routeId()],
      );
      return rows.map(readParked);
    });
  }

  keys(id: number, limit: number): Promise<readonly ParkedKey[]> {
    return this.#options.run(async () => {
      const { rows } = await this.#options.client.query<{
        resource: string;
        exclusive: boolean;
        digest: string | null;
      }>(
        `select resource, exclusive, digest::text from tidelock.parked_keys where parked_id = $1 and route_id = $2
         order by resource, digest limit $3`,
        [id, await this.#options.routeId(), limit],
      );
      return rows.map(({ resource, exclusive, digest }) => ({
        resource,
        exclusive,
        digest: digest === null ? null : BigInt(digest).toString(16).padStart(12, '0'),
      }));
    });
  }

  async *changes(id: number): AsyncGenerator<readonly Change[]> {
    const decoder = new ChangeDecoder();
    for (let part = 0; ; part++) {
      const stored = await this.#options.run(async () => {
        const { rows } = await this.#options.client.query<{ changes: Buffer }>(
          `select changes from tidelock.parked_parts where part = $2
             and parked_id = (select id from tidelock.parked where id = $1 and route_id = $3)`,
          [id, part, await this.#options.routeId()],
        );
        return rows[0] ?? null;
      });
      if (stored === null) return;
      yield decoder.decode(stored.changes);
    }
  }

  earlier(ids: readonly number[]): Promise<readonly number[]> {
    return this.#options.run(() => readEarlier(this.#options.client, ids));
  }

  ask({ action, ids, withEarlier, reason, askedBy }: ParkingRequest, entry?: MakeEntry): Promise<number> {
    return this.#options.run(async () => {
      const { client } = this.#options;
      const routeId = await this.#options.routeId();
      return await inTransaction(client, async () => {
        // What they did is in the journal.
        await client.query(
          `delete from tidelock.parking_requests where route_id = $1 and done_at < now() - interval '1 day'`,
          [routeId],
        );
        const { rows } = await client.query<{ id: string }>(
          `with stored as (
             insert into tidelock.parking_requests (route_id, action, ids, with_earlier, reason, asked_by)
             values ($1, $2, $3, $4, $5, $6) returning id)
           select id::text, pg_notify($7, '') from stored`,
          [routeId, action, ids, withEarlier, reason, askedBy, requestChannel(routeId)],
        );
        const request = Number(rows[0]?.id);
        if (entry !== undefined && (await this.#hasActions()))
          await writeAction(client, this.#options.routeKey, entry({ request }));
        return request;
      });
    });
  }

  outcome(request: number): Promise<ParkingOutcome | null> {
    return this.#options.run(async () => {
      const { client, route } = this.#options;
      const { rows } = await client.query<{ done: boolean; waiting: string[] | null }>(
        `select done_at is not null as done, waiting::text[] from tidelock.parking_requests where id = $1 and route_id = $2`,
        [request, await this.#options.routeId()],
      );
      if (rows[0] === undefined) throw fail(routeErrors.notRegistered, { route });
      if (!rows[0].done) return null;
      const journal = await client.query<JournalRow>(
        `select action, parked_id::text, code, message from tidelock.journal where route_id = $1 and request_id = $2 order by id`,
        [await this.#options.routeId(), request],
      );
      return readOutcome(journal.rows, rows[0].waiting ?? []);
    });
  }

  skip(
    { transaction, position, code, message, remedy, reason, askedBy }: SkipRequest,
    entry?: MakeEntry,
  ): Promise<void> {
    return this.#options.run(async () => {
      const { client } = this.#options;
      const routeId = await this.#options.routeId();
      await inTransaction(client, async () => {
        await client.query(
          `insert into tidelock.skips (route_id, transaction_id, position, cause, code, message, remedy, reason, asked_by)
           values ($1, $2, $3, 'skip', $4, $5, $6, $7, $8)
           on conflict (route_id) do update set transaction_id = excluded.transaction_id, position = excluded.position,
             cause = excluded.cause, code = excluded.code, message = excluded.message, remedy = excluded.remedy,
             reason = excluded.reason, asked_by = excluded.asked_by, asked_at = now()`,
          [routeId, transaction, position, code, message, remedy, reason, askedBy],
        );
        await client.query(
          `insert into tidelock.journal (route_id, action, transaction_id, position, code, message, reason, asked_by)
           values ($1, 'skip asked', $2, $3, $4, $5, $6, $7)`,
          [routeId, transaction, position, code, message, reason, askedBy],
        );
        if (entry !== undefined && (await this.#hasActions()))
          await writeAction(client, this.#options.routeKey, entry({ position }));
      });
    });
  }

  async #hasActions(): Promise<boolean> {
    return ((await this.#options.stateVersion()) ?? 0) >= actionsSince;
  }

  async #isThere(): Promise<boolean> {
    return ((await this.#options.stateVersion()) ?? 0) >= parkedSince;
  }
}

/** As part of what is stored about a route. Zero where the state is older than parking. */
/** The same for a route `r`, as columns. */
export function parkedColumns(version: number): string {
  if (version < parkedSince) return '0 as parked, null as parked_since';
  return `(select count(*)::int from tidelock.parked p where p.route_id = r.id) as parked,
       (select p.position from tidelock.parked p where p.route_id = r.id order by p.id limit 1) as parked_since`;
}

export async function readParkedCount(client: pg.Client, version: number, routeKey: string): Promise<ParkedCount> {
  if (version < parkedSince) return { count: 0, since: null };
  const { rows } = await client.query<{ count: number; since: Position | null }>(
    `select count(*)::int as count, (array_agg(p.position order by p.id))[1] as since
     from tidelock.parked p join tidelock.routes r on r.id = p.route_id where r.key = $1`,
    [routeKey],
  );
  return rows[0] ?? { count: 0, since: null };
}

function readParked(row: ParkedRow): ParkedTransaction {
  return {
    id: Number(row.id),
    transaction: row.transaction_id,
    position: row.position,
    committedAtMs: row.committed_at_ms,
    parkedAtMs: row.parked_at_ms,
    cause: row.cause,
    code: row.code,
    message: row.message,
    remedy: row.remedy,
    reason: row.reason,
    askedBy: row.asked_by,
    behind: row.behind === null ? null : Number(row.behind),
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    tables: row.tables,
    attempts: row.attempts,
  };
}

function readOutcome(journal: readonly JournalRow[], waiting: readonly string[]): ParkingOutcome {
  const ids = (action: string): number[] =>
    journal.flatMap((row) => (row.action === action ? [Number(row.parked_id)] : []));
  // Carried out in two goes, after a crash, one may have been tried twice: the last try counts.
  const failed = new Map(
    journal
      .filter(({ action }) => action === 'retry failed')
      .map(({ parked_id, code, message }) => [
        Number(parked_id),
        { id: Number(parked_id), code: code ?? '', message: message ?? '' },
      ]),
  );
  const applied = ids('retried');
  for (const id of applied) failed.delete(id);
  return { applied, failed: [...failed.values()], waiting: waiting.map(Number), discarded: ids('discarded') };
}
