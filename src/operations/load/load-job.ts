import { asTidelockError } from '../../core/errors/defect.ts';
import type { JobDocument } from '../../core/job.ts';
import type { Existing, StoredLoad } from '../../core/load.ts';
import { pause } from '../../core/pause.ts';
import type { JobWork } from '../jobs/job-work.ts';
import { notATable } from '../not-a-table.ts';
import { LoadRates, rateOfAll } from './load-rates.ts';

/** What `tidelock load` asks for. */
export interface LoadOptions {
  /** Labels of source tables. */
  readonly tables: readonly string[];
  readonly existing: Existing;
  /** Only rows for which it is true. */
  readonly where?: string | null;
  /** It is the load that the route begins with, which the route begins by itself. */
  readonly initial?: boolean;
}

/** `tidelock load --json`. */
export interface LoadDocument {
  readonly version: 1;
  /** Rows and bytes are those that were read of the source. */
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly bytes: number }[];
}

/** Often enough to be watched, of what is stored. */
const lookMs = 1_000;

/**
 * Has tables loaded by the stream of the same engine, and waits until they are. How far each is is stored with its rows: nothing is lost whoever
 * ends. While the route does not stream it waits.
 */
export async function runLoadJob({ job, definition, store, loads, signal }: JobWork): Promise<JobDocument> {
  const { tables, existing, where = null, initial = false } = job.options as unknown as LoadOptions;
  const own = async (): Promise<readonly StoredLoad[]> =>
    (await store.loads()).filter((load) => load.job === job.number);
  const begun = await own();
  // A table that was renamed since it was begun goes by its new name.
  const left =
    initial || begun.length === tables.length
      ? []
      : tables.filter((table) => !begun.some(({ source }) => source === table));
  const carried = new Set((await store.tables()).map(({ source }) => source));
  const unknown = left.find((table) => !carried.has(table));
  if (unknown !== undefined) throw notATable(definition.name, unknown, [...carried]);
  try {
    const progressOf = loadProgress();
    for (const source of left) loads.want({ source, existing, where, job: job.number });
    for (let [told, most] = ['', 0]; ; ) {
      const now = await own();
      // One that is loaded may be dropped before the others are.
      most = Math.max(most, now.length);
      const sum = (of: (load: StoredLoad) => number): number => now.reduce((all, load) => all + of(load), 0);
      const progress = {
        done: sum(({ rows }) => rows),
        total: sum(({ rows, expectedRows, done: isDone }) => (isDone ? rows : Math.max(rows, expectedRows))),
        ...progressOf(now),
      };
      if (JSON.stringify(progress) !== told) await store.jobs.setProgress(job.number, progress);
      told = JSON.stringify(progress);
      const failure = loads.takeFailure(job.number);
      if (failure !== null) throw asTidelockError(failure);
      // A table may have been renamed or dropped since the last look.
      if (initial)
        loads.keep(
          job.number,
          now.map(({ source }) => source),
        );
      for (const { source, done } of now)
        if (!done && !loads.isWanted(source, job.number)) loads.want({ source, existing, where, job: job.number });
      if (most >= (initial ? 1 : tables.length) && now.every((load) => load.done))
        return document(now) as unknown as JobDocument;
      // The route has loaded its tables in one piece after all.
      if (initial && most === 0 && (await store.jobs.read(job.number))?.endedAt !== null)
        return document([]) as unknown as JobDocument;
      await pause(lookMs, signal);
      signal.throwIfAborted();
    }
  } finally {
    loads.over(job.number);
  }
}

/** What is stored of loads, with how fast that grows. One for each run: an engine that takes the job over sees it afresh. */
function loadProgress(rates = new LoadRates()) {
  const seen = new Map<string, number>();
  return (loads: readonly StoredLoad[]) => {
    const tables = loads.map(({ source, rows, bytes, expectedRows, expectedBytes, done }) => {
      rates.add(source, rows - (seen.get(source) ?? rows), 0);
      seen.set(source, rows);
      const table = { table: source, rows, bytes, expectedRows, expectedBytes, done };
      return done ? { ...table, rowsPerSecond: null, leftMs: null } : rates.of(table);
    });
    return { tables, ...rateOfAll(tables.filter(({ done }) => !done)) };
  };
}

function document(loads: readonly StoredLoad[]): LoadDocument {
  return { version: 1, tables: loads.map(({ source, rows, bytes }) => ({ name: source, rows, bytes })) };
}
