import type pg from 'pg';
import type { MakeEntry } from '../../../src/core/action.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Job, JobChange, JobDocument, JobEnd, JobRequest, JobStore, JobWish } from '../../../src/core/job.ts';
import type { JournalLimits } from '../../../src/core/route.ts';
import { writeAction } from './postgres-action-journal.ts';
import { inTransaction, jobsSince } from './state-schema.ts';
import { isDue, requestChannel } from './wanted.ts';

export interface JobStoreOptions {
  readonly client: pg.Client;
  /** deployment/route. */
  readonly routeKey: string;
  readonly node: string;
  /** Runs one after the other with the other calls of the state store, and classifies errors. */
  run<T>(run: () => Promise<T>): Promise<T>;
  /** The same, at the same time as others that only ask. */
  ask<T>(run: () => Promise<T>): Promise<T>;
  routeId(): Promise<number>;
  /** Of the lease that is held; null where none is. */
  epoch(): bigint | null;
  fenced(): Promise<TidelockError>;
  /** Of the state schema; null where there is none. */
  stateVersion(): Promise<number | null>;
}

const time = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "${column.replace(/_a/, 'A')}"`;

const columns = `id::text as number, kind, options, state, wish, progress, result, reason, asked_by as "askedBy",
  ${time('asked_at')}, ${time('begun_at')}, ${time('ended_at')}, attempts`;

type JobRow = Omit<Job, 'number'> & { readonly number: string };

/** What has ended is forgotten after this many more of the same route. */
const kept = 200;

export class PostgresJobStore implements JobStore {
  readonly #options: JobStoreOptions;

  constructor(options: JobStoreOptions) {
    this.#options = options;
  }

  add({ kind, options, askedBy, entry }: JobRequest): Promise<Job> {
    return this.#change(async (client, routeId) => {
      const { rows } = await client.query<JobRow>(
        `insert into tidelock.jobs (route_id, kind, options, asked_by) values ($1, $2, $3, $4) returning ${columns}`,
        [routeId, kind, JSON.stringify(options), askedBy],
      );
      const job = jobOf(rows[0] as JobRow);
      await this.#write(entry, { job: job.number });
      return job;
    });
  }

  list(limit: number): Promise<readonly Job[]> {
    return this.#read(async (client, routeId) => {
      const { rows } = await client.query<JobRow>(
        `select ${columns} from tidelock.jobs where route_id = $1 order by id desc limit $2`,
        [routeId, limit],
      );
      return rows.map(jobOf);
    }, []);
  }

  read(number: number): Promise<Job | null> {
    return this.#read(async (client, routeId) => {
      const { rows } = await client.query<JobRow>(
        `select ${columns} from tidelock.jobs where route_id = $1 and id = $2`,
        [routeId, number],
      );
      return rows[0] === undefined ? null : jobOf(rows[0]);
    }, null);
  }

  ask(number: number, wish: JobWish, { entry, options = {} }: JobChange = {}): Promise<Job | null> {
    return this.#change(async (client, routeId) => {
      // One that has failed goes on where it was once somebody has mended what was wrong.
      const { rows } = await client.query<JobRow>(
        `update tidelock.jobs set wish = $3, ended_at = null, reason = null, options = options || $4::jsonb,
           state = case when state = 'failed' or ($3 = 'run' and state = 'paused') then 'waiting' else state end
         where route_id = $1 and id = $2 and (ended_at is null or (state = 'failed' and $3 = 'run')) returning ${columns}`,
        [routeId, number, wish, JSON.stringify(options)],
      );
      await this.#write(entry, rows.length === 0 ? { changed: false } : {});
      return rows[0] === undefined ? null : jobOf(rows[0]);
    });
  }

  due(): Promise<readonly Job[]> {
    return this.#read(async (client, routeId) => {
      const { rows } = await client.query<JobRow>(
        `select ${columns} from tidelock.jobs where route_id = $1 and ${isDue('tidelock.jobs')} order by id`,
        [routeId],
      );
      return rows.map(jobOf);
    }, []);
  }

  begin(number: number): Promise<void> {
    return this.#update(
      number,
      `state = 'running', begun_at = coalesce(begun_at, clock_timestamp()), attempts = attempts + 1`,
    );
  }

  setProgress(number: number, progress: JobDocument): Promise<void> {
    return this.#update(number, 'progress = $4', [JSON.stringify(progress)]);
  }

  storeSteps(number: number, steps: Readonly<Record<string, JobDocument | null>>): Promise<void> {
    const names = Object.keys(steps);
    return this.#options.run(() =>
      inTransaction(this.#options.client, async () => {
        await this.#demandEpoch();
        await this.#options.client.query(`delete from tidelock.job_steps where job_id = $1 and step = any($2)`, [
          number,
          names.filter((name) => steps[name] === null),
        ]);
        const stored = names.filter((name) => steps[name] !== null);
        await this.#options.client.query(
          `insert into tidelock.job_steps (job_id, step, state)
           select $1, * from unnest($2::text[], $3::text[]::jsonb[])
           on conflict (job_id, step) do update set state = excluded.state`,
          [number, stored, stored.map((name) => JSON.stringify(steps[name]))],
        );
      }),
    );
  }

  steps(number: number): Promise<ReadonlyMap<string, JobDocument>> {
    return this.#read(async (client) => {
      const { rows } = await client.query<{ step: string; state: JobDocument }>(
        `select step, state from tidelock.job_steps where job_id = $1 order by step`,
        [number],
      );
      return new Map(rows.map(({ step, state }) => [step, state]));
    }, new Map<string, JobDocument>());
  }

  digestKey(): Promise<string> {
    return this.#options.run(async () => {
      const { rows } = await this.#options.client.query<{ key: string }>('select digest_key as key from tidelock.meta');
      return rows[0]?.key ?? '';
    });
  }

  rest(number: number): Promise<void> {
    return this.#update(number, `state = 'paused'`);
  }

  end(number: number, { state, result, reason }: JobEnd): Promise<void> {
    const text = (document: object | undefined): string | null =>
      document === undefined ? null : JSON.stringify(document);
    return this.#update(
      number,
      'state = $4, result = coalesce($5, result), reason = $6, ended_at = clock_timestamp()',
      [state, text(result), text(reason)],
    );
  }

  prune({ keepMs }: JournalLimits): Promise<void> {
    return this.#read(async (client, routeId) => {
      await client.query(
        `delete from tidelock.jobs where route_id = $1 and ended_at is not null
           and (ended_at < clock_timestamp() - $2 * interval '1 ms'
             or id <= (select id from tidelock.jobs where route_id = $1 order by id desc offset ${kept} limit 1))`,
        [routeId, keepMs],
      );
    }, undefined);
  }

  async #write(entry: MakeEntry | undefined, more: JobDocument): Promise<void> {
    if (entry !== undefined) await writeAction(this.#options.client, this.#options.routeKey, entry(more));
  }

  /** By people: no lease is needed, and the engine hears of it. */
  #change<T>(run: (client: pg.Client, routeId: number) => Promise<T>): Promise<T> {
    const { client, routeId, stateVersion, node } = this.#options;
    return this.#options.run(async () => {
      const found = (await stateVersion()) ?? 0;
      const id = await routeId();
      if (found < jobsSince) throw fail(routeErrors.stateOlder, { node, found, wanted: jobsSince });
      return await inTransaction(client, async () => {
        const result = await run(client, id);
        await client.query(`select pg_notify($1, '')`, [requestChannel(id)]);
        return result;
      });
    });
  }

  #read<T>(run: (client: pg.Client, routeId: number) => Promise<T>, otherwise: T): Promise<T> {
    const { client, routeId, stateVersion } = this.#options;
    return this.#options.ask(async () => {
      if (((await stateVersion()) ?? 0) < jobsSince) return otherwise;
      return await run(client, await routeId());
    });
  }

  #update(number: number, assignments: string, values: readonly unknown[] = []): Promise<void> {
    return this.#options.run(async () => {
      const { client, routeId, epoch } = this.#options;
      const { rowCount } = await client.query(
        `with mine as (select id from tidelock.routes where id = $1 and epoch = $3 for share)
         update tidelock.jobs j set ${assignments} from mine where j.route_id = mine.id and j.id = $2`,
        [await routeId(), number, epoch()?.toString() ?? null, ...values],
      );
      if (rowCount !== 1) throw await this.#options.fenced();
    });
  }

  async #demandEpoch(): Promise<void> {
    const { client, routeId, epoch } = this.#options;
    const { rowCount } = await client.query('select from tidelock.routes where id = $1 and epoch = $2 for share', [
      await routeId(),
      epoch()?.toString() ?? null,
    ]);
    if (rowCount !== 1) throw await this.#options.fenced();
  }
}

function jobOf({ number, ...job }: JobRow): Job {
  return { number: Number(number), ...job };
}
