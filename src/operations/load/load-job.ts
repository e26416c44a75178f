import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { asTidelockError } from '../../core/errors/defect.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { JobDocument } from '../../core/job.ts';
import type { Existing, StoredLoad } from '../../core/load.ts';
import { pause } from '../../core/pause.ts';
import type { JobWork } from '../jobs/job-work.ts';

/** What `tidelock load` asks for. */
export interface LoadOptions {
  /** Labels of source tables. */
  readonly tables: readonly string[];
  readonly existing: Existing;
}

/** `tidelock load --json`. */
export interface LoadDocument {
  readonly version: 1;
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly bytes: number }[];
}

/** Often enough to be watched, of what is stored. */
const lookMs = 1_000;

/**
 * Has tables loaded by the stream of the same engine, and waits until they are. How far each is is stored with its rows: nothing is lost whoever
 * ends. While the route does not stream it waits.
 */
export async function runLoadJob({ job, definition, store, loads, signal }: JobWork): Promise<JobDocument> {
  const { tables, existing } = job.options as unknown as LoadOptions;
  const carried = new Set((await store.tables()).map(({ source }) => source));
  const unknown = tables.find((table) => !carried.has(table));
  if (unknown !== undefined) throw fail(routeErrors.notATableOfRoute, { route: definition.name, table: unknown });
  const own = async (): Promise<readonly StoredLoad[]> =>
    (await store.loads()).filter((load) => load.job === job.number && tables.includes(load.source));
  const wants: (() => void)[] = [];
  try {
    const done = new Set((await own()).filter((load) => load.done).map(({ source }) => source));
    for (const source of tables) if (!done.has(source)) wants.push(loads.want({ source, existing, job: job.number }));
    for (let told = ''; ; ) {
      const now = await own();
      const sum = (of: (load: StoredLoad) => number): number => now.reduce((all, load) => all + of(load), 0);
      const progress = {
        done: sum(({ rows }) => rows),
        total: sum(({ rows, expectedRows, done: isDone }) => (isDone ? rows : Math.max(rows, expectedRows))),
        tables: now.map(tableProgress),
      };
      if (JSON.stringify(progress) !== told) await store.jobs.setProgress(job.number, progress);
      told = JSON.stringify(progress);
      for (const source of tables) {
        const failure = loads.takeFailure(source);
        if (failure !== null) throw asTidelockError(failure);
      }
      if (tables.every((table) => now.some(({ source, done: isDone }) => source === table && isDone)))
        return document(now) as unknown as JobDocument;
      await pause(lookMs, signal);
      signal.throwIfAborted();
    }
  } finally {
    for (const over of wants) over();
  }
}

function tableProgress({ source, rows, bytes, expectedRows, expectedBytes, done }: StoredLoad) {
  return { table: source, rows, bytes, expectedRows, expectedBytes, done };
}

function document(loads: readonly StoredLoad[]): LoadDocument {
  return { version: 1, tables: loads.map(({ source, rows, bytes }) => ({ name: source, rows, bytes })) };
}
