import { randomUUID } from 'node:crypto';
import type { MakeEntry } from '../../../src/core/action.ts';
import type { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Job, JobChange, JobDocument, JobEnd, JobRequest, JobStore, JobWish } from '../../../src/core/job.ts';
import type { JournalLimits } from '../../../src/core/route.ts';
import type { MysqlSession } from '../connect.ts';
import { writeAction } from './mysql-action-journal.ts';
import { inTransaction, parsedJson, places } from './statements.ts';

export interface JobStoreOptions {
  readonly session: MysqlSession;
  /** deployment/route. */
  readonly routeKey: string;
  /** Runs one after the other with the other calls of the state store, and classifies errors. */
  run<T>(run: () => Promise<T>): Promise<T>;
  routeId(): Promise<number>;
  /** Of the lease that is held; null where none is. */
  epoch(): bigint | null;
  fenced(): Promise<TidelockError>;
  /** Of the state; null where there is none. */
  stateVersion(): Promise<number | null>;
}

const time = (column: string): string => `date_format(${column}, '%Y-%m-%dT%H:%i:%s.%f')`;

const columns = `id, kind, options, state, wish, progress, result, reason, asked_by, ${time('asked_at')}, ${time('begun_at')}, ${time('ended_at')}, attempts`;

/** An expression over `tidelock.jobs`: an engine has something to do about it. */
export const isDue = `(ended_at is null and not (state = 'paused' and wish = 'pause'))`;

/** What has ended is forgotten after this many more of the same route. */
const kept = 200;

export class MysqlJobStore implements JobStore {
  readonly #options: JobStoreOptions;

  constructor(options: JobStoreOptions) {
    this.#options = options;
  }

  add({ kind, options, askedBy, entry }: JobRequest): Promise<Job> {
    return this.#change(async (session, routeId) => {
      await session.change(
        'insert into tidelock.jobs (route_id, kind, options, asked_by, asked_at) values (?, ?, ?, ?, sysdate(6))',
        [routeId, kind, JSON.stringify(options), askedBy],
      );
      const [row] = await session.query(`select ${columns} from tidelock.jobs where id = last_insert_id()`);
      const job = jobOf(row ?? []);
      await this.#write(entry, { job: job.number });
      return job;
    });
  }

  list(limit: number): Promise<readonly Job[]> {
    return this.#select('order by id desc limit ?', [limit]);
  }

  async read(number: number): Promise<Job | null> {
    return (await this.#select('and id = ?', [number]))[0] ?? null;
  }

  ask(number: number, wish: JobWish, { entry, options = {} }: JobChange = {}): Promise<Job | null> {
    return this.#change(async (session, routeId) => {
      // One that has failed goes on where it was once somebody has mended what was wrong. Assignments are made from left to right.
      const changed = await session.change(
        `update tidelock.jobs set wish = ?, ended_at = null, reason = null, options = json_merge_patch(options, ?),
           state = if(state = 'failed' or (? = 'run' and state = 'paused'), 'waiting', state)
         where route_id = ? and id = ? and (ended_at is null or (state = 'failed' and ? = 'run'))`,
        [wish, JSON.stringify(options), wish, routeId, number, wish],
      );
      await this.#write(entry, changed === 0 ? { changed: false } : {});
      if (changed === 0) return null;
      const [row] = await session.query(`select ${columns} from tidelock.jobs where id = ?`, [number]);
      return jobOf(row ?? []);
    });
  }

  due(): Promise<readonly Job[]> {
    return this.#select(`and ${isDue} order by id`, []);
  }

  begin(number: number): Promise<void> {
    return this.#update(
      number,
      `j.state = 'running', j.begun_at = coalesce(j.begun_at, sysdate(6)), j.attempts = j.attempts + 1`,
    );
  }

  setProgress(number: number, progress: JobDocument): Promise<void> {
    return this.#update(number, 'j.progress = ?', [JSON.stringify(progress)]);
  }

  storeSteps(number: number, steps: Readonly<Record<string, JobDocument | null>>): Promise<void> {
    const { session } = this.#options;
    return this.#options.run(() =>
      inTransaction(session, async () => {
        await this.#demandEpoch();
        const names = Object.keys(steps);
        const gone = names.filter((name) => steps[name] === null);
        await session.change(`delete from tidelock.job_steps where job_id = ? and step in (${places(gone)})`, [
          number,
          ...gone,
        ]);
        for (const name of names.filter((one) => steps[one] !== null)) {
          const text = JSON.stringify(steps[name]);
          await session.change(
            'insert into tidelock.job_steps (job_id, step, state) values (?, ?, ?) on duplicate key update state = ?',
            [number, name, text, text],
          );
        }
      }),
    );
  }

  steps(number: number): Promise<ReadonlyMap<string, JobDocument>> {
    return this.#options.run(async () => {
      if ((await this.#options.stateVersion()) === null) return new Map();
      const rows = await this.#options.session.query(
        'select step, state from tidelock.job_steps where job_id = ? order by step',
        [number],
      );
      return new Map(rows.map(([step, state]) => [step ?? '', JSON.parse(state ?? '{}')]));
    });
  }

  digestKey(): Promise<string> {
    const { session, run } = this.#options;
    return run(async () => {
      await session.change('insert ignore into tidelock.secrets (one, digest_key) values (1, ?)', [randomUUID()]);
      const [row] = await session.query('select digest_key from tidelock.secrets');
      return String(row?.[0]);
    });
  }

  rest(number: number): Promise<void> {
    return this.#update(number, `j.state = 'paused'`);
  }

  end(number: number, { state, result, reason }: JobEnd): Promise<void> {
    const text = (document: object | undefined): string | null =>
      document === undefined ? null : JSON.stringify(document);
    return this.#update(
      number,
      'j.state = ?, j.result = coalesce(?, j.result), j.reason = ?, j.ended_at = sysdate(6)',
      [state, text(result), text(reason)],
    );
  }

  prune({ keepMs }: JournalLimits): Promise<void> {
    return this.#options.run(async () => {
      if ((await this.#options.stateVersion()) === null) return;
      const { session } = this.#options;
      const routeId = await this.#options.routeId();
      const [last] = await session.query(
        `select id from tidelock.jobs where route_id = ? order by id desc limit 1 offset ${kept}`,
        [routeId],
      );
      await session.change(
        `delete from tidelock.jobs where route_id = ? and ended_at is not null
           and (ended_at < sysdate(6) - interval ? microsecond or id <= ?)`,
        [routeId, keepMs * 1_000, last?.[0] ?? '0'],
      );
    });
  }

  async #write(entry: MakeEntry | undefined, more: JobDocument): Promise<void> {
    if (entry !== undefined) await writeAction(this.#options.session, this.#options.routeKey, entry(more));
  }

  /** By people: no lease is needed. The engine finds it with the next renewal of its lease. */
  #change<T>(run: (session: MysqlSession, routeId: number) => Promise<T>): Promise<T> {
    const { session, routeId } = this.#options;
    return this.#options.run(async () => {
      const id = await routeId();
      return await inTransaction(session, () => run(session, id));
    });
  }

  #select(clauses: string, values: readonly (string | number)[]): Promise<readonly Job[]> {
    const { session, routeId, stateVersion } = this.#options;
    return this.#options.run(async () => {
      if ((await stateVersion()) === null) return [];
      const rows = await session.query(`select ${columns} from tidelock.jobs where route_id = ? ${clauses}`, [
        await routeId(),
        ...values,
      ]);
      return rows.map(jobOf);
    });
  }

  #update(number: number, assignments: string, values: readonly (string | number | null)[] = []): Promise<void> {
    return this.#options.run(async () => {
      const { session, routeId, epoch } = this.#options;
      const changed = await session.change(
        `update tidelock.jobs j join tidelock.routes r on r.id = j.route_id set ${assignments}
         where r.id = ? and r.epoch = ? and j.id = ?`,
        [...values, await routeId(), epoch()?.toString() ?? null, number],
      );
      if (changed !== 1) throw await this.#options.fenced();
    });
  }

  async #demandEpoch(): Promise<void> {
    const { session, routeId, epoch } = this.#options;
    const [row] = await session.query('select 1 from tidelock.routes where id = ? and epoch = ? lock in share mode', [
      await routeId(),
      epoch()?.toString() ?? null,
    ]);
    if (row === undefined) throw await this.#options.fenced();
  }
}

function jobOf(row: readonly (string | null)[]): Job {
  const [number, kind, options, state, wish, progress, result, reason, askedBy, askedAt, begunAt, endedAt, attempts] =
    row;
  // To the millisecond.
  const iso = (at: string | null | undefined): string | null => (at ? `${at.slice(0, 23)}Z` : null);
  return {
    number: Number(number),
    kind: kind as Job['kind'],
    options: JSON.parse(options ?? '{}'),
    state: state as Job['state'],
    wish: wish as JobWish,
    progress: parsedJson(progress),
    result: parsedJson(result),
    reason: parsedJson(reason),
    askedBy: askedBy ?? '',
    askedAt: iso(askedAt) ?? '',
    begunAt: iso(begunAt),
    endedAt: iso(endedAt),
    attempts: Number(attempts),
  };
}
