import { setTimeout as delay } from 'node:timers/promises';
import type { TestDatabase } from '../../test/support/postgres.ts';
import { quantile } from '../measure.ts';
import { type Contender, Stage } from './stage.ts';

export interface SteadyOptions {
  readonly rounds: number;
  /** Of one contender in one round. */
  readonly seconds: number;
  readonly transactionsPerSecond: number;
  readonly synchronousCommit: 'off' | 'on';
}

export interface SteadyResult {
  readonly workload: 'C';
  readonly tidelock: { readonly p50Ms: number; readonly p99Ms: number };
  readonly postgresql: { readonly p50Ms: number; readonly p99Ms: number };
}

/** C: single-row transactions at a steady rate; from the answer of COMMIT at the source to the row being seen at the target. */
export async function steady(options: SteadyOptions): Promise<SteadyResult> {
  const { synchronousCommit, rounds } = options;
  await using stage = await Stage.open({
    schema: `CREATE TABLE tick (id bigint PRIMARY KEY, note text);`,
    prepare: async () => {},
    synchronousCommit,
  });
  const delays = { tidelock: [] as number[], postgresql: [] as number[] };
  let id = 0;
  await stage.tidelock.disable();
  await stage.peer.disable();
  for (let round = 1; round <= rounds; round++) {
    for (const contender of round % 2 === 0 ? [stage.peer, stage.tidelock] : [stage.tidelock, stage.peer]) {
      const { next, delaysMs } = await oneRound(stage.source, contender, { ...options, first: id + 1 });
      id = next - 1;
      delays[contender.name].push(...delaysMs);
      await contender.disable();
    }
  }
  const summary = (values: readonly number[]) => ({ p50Ms: quantile(values, 0.5), p99Ms: quantile(values, 0.99) });
  return { workload: 'C', tidelock: summary(delays.tidelock), postgresql: summary(delays.postgresql) };
}

async function oneRound(
  source: TestDatabase,
  contender: Contender,
  { seconds, transactionsPerSecond, first }: SteadyOptions & { readonly first: number },
): Promise<{ next: number; delaysMs: number[] }> {
  const writers = await Promise.all(Array.from({ length: 4 }, () => source.client()));
  const reader = await contender.target.client();
  const committedAtMs = new Map<number, number>();
  const delaysMs: number[] = [];
  await contender.enable();
  let next = first;
  let writing = true;
  // What was written while it rested is not measured.
  const warm = async (): Promise<void> => {
    const mark = next++;
    await source.query(`INSERT INTO tick VALUES (${mark}, 'warm')`);
    while ((await reader.query('SELECT FROM tick WHERE id = $1', [mark])).rowCount === 0) await delay(1);
  };
  await warm();
  const beganMs = performance.now();
  const write = async (writer: (typeof writers)[number]): Promise<void> => {
    for (;;) {
      const id = next++;
      const dueMs = beganMs + ((id - first) * 1_000) / transactionsPerSecond;
      if (dueMs > beganMs + seconds * 1_000) return;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      await writer.query('INSERT INTO tick VALUES ($1, $2)', [id, 'a row of a steady stream']);
      committedAtMs.set(id, performance.now());
    }
  };
  const look = async (): Promise<void> => {
    while (writing || committedAtMs.size > 0) {
      const ids = [...committedAtMs.keys()];
      if (ids.length > 0) {
        const { rows } = await reader.query<{ id: string }>('SELECT id FROM tick WHERE id = ANY ($1)', [ids]);
        const seenMs = performance.now();
        for (const { id } of rows) {
          delaysMs.push(seenMs - (committedAtMs.get(Number(id)) ?? seenMs));
          committedAtMs.delete(Number(id));
        }
      }
      await delay(1);
    }
  };
  const looking = look();
  await Promise.all(writers.map(write));
  writing = false;
  await looking;
  await Promise.all([...writers, reader].map((client) => client.end()));
  return { next, delaysMs };
}
