import type { MakeEntry } from '../../../src/core/action.ts';
import type { Change } from '../../../src/core/change.ts';
import { ChangeDecoder } from '../../../src/core/change-codec.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type {
  ParkedCause,
  ParkedKey,
  ParkedStore,
  ParkedTable,
  ParkedTransaction,
  ParkingOutcome,
  ParkingRequest,
  SkipRequest,
} from '../../../src/core/parked.ts';
import type { Position } from '../../../src/core/position.ts';
import type { MysqlSession } from '../connect.ts';
import { writeAction } from './mysql-action-journal.ts';
import { earliestConflicts, readEarlier } from './parked-conflicts.ts';
import { parkedSince } from './state-schema.ts';
import { inTransaction, nowMs, parsedJson } from './statements.ts';

export interface ParkedStoreOptions {
  readonly session: MysqlSession;
  readonly route: string;
  /** deployment/route. */
  readonly routeKey: string;
  /** Runs one after the other with the other calls of the state store, and classifies errors. */
  run<T>(run: () => Promise<T>): Promise<T>;
  /** Throws where nothing is stored about the route. */
  routeId(): Promise<number>;
  /** Of the state; null where there is none. */
  stateVersion(): Promise<number | null>;
}

type Cells = readonly (string | null)[];

const oneDayMs = 86_400_000;

/** What is parked of one route, read on the session of its state store. */
export class MysqlParkedStore implements ParkedStore {
  readonly #options: ParkedStoreOptions;

  constructor(options: ParkedStoreOptions) {
    this.#options = options;
  }

  list(): Promise<readonly ParkedTransaction[]> {
    return this.#options.run(async () => {
      if (((await this.#options.stateVersion()) ?? 0) < parkedSince) return [];
      const routeId = await this.#options.routeId();
      const rows = await this.#options.session.query(
        `select p.id, p.transaction_id, p.position, p.committed_at_ms, p.parked_at_ms, p.cause, p.code, p.message, p.remedy, p.reason, p.asked_by,
           w.behind, p.row_count, p.byte_count, p.tables, p.attempts
         from tidelock.parked p left join (${earliestConflicts}) w on w.id = p.id where p.route_id = ? order by p.id`,
        [routeId, routeId, routeId, routeId],
      );
      return rows.map(readParked);
    });
  }

  keys(id: number, limit: number): Promise<readonly ParkedKey[]> {
    return this.#options.run(async () => {
      const rows = await this.#options.session.query(
        `select resource, is_exclusive, digest from tidelock.parked_keys where parked_id = ? and route_id = ?
         order by resource, digest limit ?`,
        [id, await this.#options.routeId(), limit],
      );
      return rows.map(([resource, exclusive, digest]) => ({
        resource: resource ?? '',
        exclusive: exclusive === '1',
        digest: digest ? BigInt(digest).toString(16).padStart(12, '0') : null,
      }));
    });
  }

  async *changes(id: number): AsyncGenerator<readonly Change[]> {
    const decoder = new ChangeDecoder();
    for (let part = 0; ; part++) {
      const stored = await this.#options.run(async () => {
        const { session, routeId } = this.#options;
        const [row] = await session.query('select 1 from tidelock.parked where id = ? and route_id = ?', [
          id,
          await routeId(),
        ]);
        return row === undefined ? null : await readParkedPart(session, id, part);
      });
      if (stored === null) return;
      yield decoder.decode(stored);
    }
  }

  earlier(ids: readonly number[]): Promise<readonly number[]> {
    return this.#options.run(() => readEarlier(this.#options.session, ids));
  }

  ask({ action, ids, withEarlier, reason, askedBy }: ParkingRequest, entry?: MakeEntry): Promise<number> {
    return this.#change(async (session, routeId) => {
      // What they did is in the journal.
      await session.change(
        `delete from tidelock.parking_requests where route_id = ? and done_at_ms < ${nowMs} - ${oneDayMs}`,
        [routeId],
      );
      await session.change(
        'insert into tidelock.parking_requests (route_id, action, ids, with_earlier, reason, asked_by) values (?, ?, ?, ?, ?, ?)',
        [routeId, action, ids === null ? null : JSON.stringify(ids), withEarlier ? 1 : 0, reason, askedBy],
      );
      const [row] = await session.query('select last_insert_id()');
      const request = Number(row?.[0]);
      if (entry !== undefined) await writeAction(session, this.#options.routeKey, entry({ request }));
      return request;
    });
  }

  outcome(request: number): Promise<ParkingOutcome | null> {
    return this.#options.run(async () => {
      const { session, route } = this.#options;
      const routeId = await this.#options.routeId();
      const [row] = await session.query(
        'select done_at_ms, waiting from tidelock.parking_requests where id = ? and route_id = ?',
        [request, routeId],
      );
      if (row === undefined) throw fail(routeErrors.notRegistered, { route });
      if (row[0] === null) return null;
      const journal = await session.query(
        'select action, parked_id, code, message from tidelock.journal where route_id = ? and request_id = ? order by id',
        [routeId, request],
      );
      return readOutcome(journal, parsedJson<number[]>(row[1]) ?? []);
    });
  }

  skip(request: SkipRequest, entry?: MakeEntry): Promise<void> {
    const { transaction, position, code, message, remedy, reason, askedBy } = request;
    return this.#change(async (session, routeId) => {
      await session.change('delete from tidelock.skips where route_id = ?', [routeId]);
      await session.change(
        `insert into tidelock.skips (route_id, transaction_id, position, cause, code, message, remedy, reason, asked_by)
         values (?, ?, ?, 'skip', ?, ?, ?, ?, ?)`,
        [routeId, transaction, position, code, message, remedy, reason, askedBy],
      );
      await session.change(
        `insert into tidelock.journal (route_id, action, transaction_id, position, code, message, reason, asked_by)
         values (?, 'skip asked', ?, ?, ?, ?, ?, ?)`,
        [routeId, transaction, position, code, message, reason, askedBy],
      );
      if (entry !== undefined) await writeAction(session, this.#options.routeKey, entry({ position }));
    });
  }

  #change<T>(run: (session: MysqlSession, routeId: number) => Promise<T>): Promise<T> {
    const { session, routeId } = this.#options;
    return this.#options.run(async () => {
      const id = await routeId();
      return await inTransaction(session, () => run(session, id));
    });
  }
}

/** Null where there is no such part. Bytes are asked for as text: a session reads nothing else. */
export async function readParkedPart(session: MysqlSession, id: number, part: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  for (let chunk = 0; ; chunk++) {
    const [row] = await session.query(
      'select hex(changes) from tidelock.parked_parts where parked_id = ? and part = ? and chunk = ?',
      [id, part, chunk],
    );
    if (row === undefined) return chunk === 0 ? null : Buffer.concat(chunks);
    chunks.push(Buffer.from(row[0] ?? '', 'hex'));
  }
}

function readParked(row: Cells): ParkedTransaction {
  const [id, transaction, position, committedAtMs, parkedAtMs, cause, code, message, remedy, reason, askedBy] = row;
  const [behind, rows, bytes, tables, attempts] = row.slice(11);
  return {
    id: Number(id),
    transaction: transaction ?? '',
    position: (position ?? '') as Position,
    committedAtMs: Number(committedAtMs),
    parkedAtMs: Number(parkedAtMs),
    cause: cause as ParkedCause,
    code: code ?? '',
    message: message ?? '',
    remedy: remedy ?? '',
    reason: reason ?? null,
    askedBy: askedBy ?? null,
    behind: behind ? Number(behind) : null,
    rows: Number(rows),
    bytes: Number(bytes),
    tables: parsedJson<ParkedTable[]>(tables) ?? [],
    attempts: Number(attempts),
  };
}

function readOutcome(journal: readonly Cells[], waiting: readonly number[]): ParkingOutcome {
  const ids = (wanted: string): number[] => journal.flatMap(([action, id]) => (action === wanted ? [Number(id)] : []));
  // Carried out in two goes, after a crash, one may have been tried twice: the last try counts.
  const failed = new Map(
    journal
      .filter(([action]) => action === 'retry failed')
      .map(([, id, code, message]) => [Number(id), { id: Number(id), code: code ?? '', message: message ?? '' }]),
  );
  const applied = ids('retried');
  for (const id of applied) failed.delete(id);
  return { applied, failed: [...failed.values()], waiting, discarded: ids('discarded') };
}
