import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { TestDatabase } from '../../test/support/postgres.ts';
import { cpuUs, median, quantile } from '../measure.ts';
import type { Contender } from './contender.ts';
import { type Contest, type Outcome, perRow, rounded, type Terms } from './contest.ts';
import { contents, differences } from './equality.ts';
import { Stage } from './stage.ts';
import { subscription } from './subscription.ts';
import { tidelock } from './tidelock.ts';

const transactionsPerSecond = 1_000;
const writers = 4;
const most = 2;
const aim = 1.3;
const mostP99Ms = 50;
const aimP99Ms = 15;

/** Single-row transactions at a steady rate; from the answer of COMMIT at the source to the row being seen at the target. */
export const steady: Contest = {
  name: 'C',
  title: `${transactionsPerSecond} transactions a second, steady: from the answer of COMMIT to the row being seen`,
  run,
};

interface Delays {
  readonly delaysMs: number[];
  /** Between two looks at the target: what is seen may be so much older. */
  readonly looksMs: number[];
  readonly cpuUs: number[];
  readonly differ: Set<string>;
}

async function run({ rounds, seconds, synchronousCommit, lanes, onRound }: Terms): Promise<Outcome> {
  await using stage = await Stage.open({
    tables: `CREATE TABLE tick (id bigint PRIMARY KEY, note text);`,
    prepare: async () => {},
    synchronousCommit,
    contenders: [
      (source, target, on) => tidelock({ source, target, lanes, ends: (end) => on.onEnd(end) }),
      (source, target, on) => subscription(source, target, on.synchronousCommit),
    ],
  });
  const { source, contenders } = stage;
  const measured = new Map<string, Delays>(
    contenders.map(({ name }) => [name, { delaysMs: [], looksMs: [], cpuUs: [], differ: new Set() }]),
  );
  let first = 1;
  for (const contender of contenders) await contender.disable();
  for (let round = 1; round <= rounds; round++) {
    for (const contender of round % 2 === 0 ? [...contenders].reverse() : contenders) {
      const { next, delaysMs, looksMs, usedUs } = await oneRound(source, contender, { seconds, first });
      await contender.disable();
      const differ = differences(await contents(source, ['public']), await contents(contender.target, ['public']));
      const all = measured.get(contender.name);
      all?.delaysMs.push(...delaysMs);
      all?.looksMs.push(...looksMs);
      all?.cpuUs.push(usedUs / delaysMs.length);
      for (const name of differ) all?.differ.add(name);
      const shown = { transactions: delaysMs.length, ...percentiles(delaysMs), looksMs: rounded(median(looksMs)) };
      onRound({ workload: 'C', round, synchronousCommit, contender: contender.name, ...shown, differ });
      first = next;
    }
  }
  return outcome(measured, synchronousCommit);
}

function percentiles(delaysMs: readonly number[]) {
  return {
    p50Ms: rounded(quantile(delaysMs, 0.5)),
    p90Ms: rounded(quantile(delaysMs, 0.9)),
    p99Ms: rounded(quantile(delaysMs, 0.99)),
    mostMs: rounded(quantile(delaysMs, 1)),
  };
}

function outcome(measured: ReadonlyMap<string, Delays>, synchronousCommit: Terms['synchronousCommit']): Outcome {
  const [own, peer] = [measured.get('tidelock'), measured.get('postgresql')];
  if (own === undefined || peer === undefined) throw new TypeError('a contender is missing');
  const failed = [...measured].filter(([, { differ }]) => differ.size > 0).map(([name]) => name);
  const [p50, p99] = [quantile(own.delaysMs, 0.5), quantile(own.delaysMs, 0.99)];
  const [peerP50, peerP99] = [quantile(peer.delaysMs, 0.5), quantile(peer.delaysMs, 0.99)];
  const ratio = p50 / peerP50;
  const cpu = median(own.cpuUs);
  return {
    workload: 'C',
    synchronousCommit,
    failed,
    passed: failed.length === 0 && ratio <= most && p99 <= mostP99Ms,
    figures: {
      tidelock: percentiles(own.delaysMs),
      postgresql: percentiles(peer.delaysMs),
      ratio: rounded(ratio),
      must: most,
      aim,
      mostP99Ms,
      aimP99Ms,
      looksMs: rounded(median([...own.looksMs, ...peer.looksMs])),
      cpuUsPerRow: rounded(cpu),
    },
    text:
      `p50 ${p50.toFixed(1)} / ${peerP50.toFixed(1)} ms  ${ratio.toFixed(2)} times the peer's (at most ${most}, aim ${aim}), ` +
      `p99 ${p99.toFixed(1)} / ${peerP99.toFixed(1)} ms (at most ${mostP99Ms}, aim ${aimP99Ms}), ${perRow(cpu)}`,
  };
}

interface Round {
  readonly seconds: number;
  /** The first id that is free. */
  readonly first: number;
}

async function oneRound(source: TestDatabase, contender: Contender, { seconds, first }: Round) {
  const clients = await Promise.all(Array.from({ length: writers }, () => source.client()));
  const reader = await contender.target.client();
  const committedAtMs = new Map<number, number>();
  const delaysMs: number[] = [];
  const looksMs: number[] = [];
  await contender.enable();
  // What was written while it rested is not measured.
  await source.query(`INSERT INTO tick VALUES (${first}, 'warm')`);
  while ((await reader.query('SELECT FROM tick WHERE id = $1', [first])).rowCount === 0) await delay(1);
  let next = first + 1;
  let writing = true;
  const beganMs = performance.now();
  const usedUs = cpuUs(contender.workers());
  const write = async (client: pg.Client): Promise<void> => {
    for (;;) {
      const dueMs = beganMs + ((next - first) * 1_000) / transactionsPerSecond;
      if (dueMs > beganMs + seconds * 1_000) return;
      const id = next++;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      await client.query({ name: 'write', text: 'INSERT INTO tick VALUES ($1, $2)', values: [id, 'a steady stream'] });
      committedAtMs.set(id, performance.now());
    }
  };
  const look = async (): Promise<void> => {
    let lookedMs = performance.now();
    while (writing || committedAtMs.size > 0) {
      const ids = [...committedAtMs.keys()];
      if (ids.length > 0) {
        const seen = { name: 'look', text: 'SELECT id FROM tick WHERE id = ANY ($1)', values: [ids] };
        const { rows } = await reader.query<{ id: string }>(seen);
        const seenMs = performance.now();
        looksMs.push(seenMs - lookedMs);
        lookedMs = seenMs;
        for (const { id } of rows) {
          delaysMs.push(seenMs - (committedAtMs.get(Number(id)) ?? seenMs));
          committedAtMs.delete(Number(id));
        }
      }
      contender.demandAlive();
      await delay(1);
    }
  };
  const looking = look();
  await Promise.all(clients.map(write));
  writing = false;
  await looking;
  const taken = cpuUs(contender.workers()) - usedUs;
  await Promise.all([...clients, reader].map((client) => client.end()));
  return { next, delaysMs, looksMs, usedUs: taken };
}
