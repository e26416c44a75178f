import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlarmState, advance, type Observation, quiet, recoveryHoldMs } from '../../src/notify/alarm.ts';

const lag: Observation = { severity: 'warning', cause: 'lag', holdMs: 15_000 };
const worse: Observation = { ...lag, severity: 'critical' };
const failed: Observation = { severity: 'critical', cause: 'state:TL-2104', holdMs: 0 };

/** What is told while `now` is observed second by second. */
function run(seconds: readonly (readonly [from: number, to: number, now: Observation | null])[], told = quiet(null)) {
  let state: AlarmState = told;
  const tells: string[] = [];
  for (const [from, to, now] of seconds) {
    for (let at = from; at < to; at++) {
      const verdict = advance(state, now, at * 1_000);
      state = verdict.state;
      if (verdict.tell !== null) tells.push(`${at} ${verdict.tell} ${now?.severity ?? ''} ${now?.cause ?? ''}`.trim());
    }
  }
  return { tells, state };
}

test('a problem is told once it has lasted, once, and again only where it gets worse or has another cause', () => {
  expect(
    run([
      [0, 14, lag],
      [14, 20, null],
    ]).tells,
  ).toEqual([]);
  expect(run([[0, 600, lag]]).tells).toEqual(['15 problem warning lag']);
  expect(
    run([
      [0, 100, lag],
      [100, 200, worse],
      [200, 300, lag],
      [300, 400, worse],
    ]).tells,
  ).toEqual(['15 problem warning lag', '115 problem critical lag']);
  const parked: Observation = { ...lag, cause: 'parked' };
  expect(
    run([
      [0, 60, lag],
      [60, 120, parked],
      [120, 180, lag],
      [180, 240, parked],
    ]).tells,
  ).toEqual(['15 problem warning lag', '75 problem warning parked']);
});

test('what has failed for good is told at once', () => {
  expect(run([[5, 100, failed]]).tells).toEqual(['5 problem critical state:TL-2104']);
  // Also where it came out of something that was held up.
  expect(
    run([
      [0, 10, lag],
      [10, 20, failed],
    ]).tells,
  ).toEqual(['10 problem critical state:TL-2104']);
});

test('that all is well is told once it has stayed well', () => {
  expect(
    run([
      [0, 20, failed],
      [20, 45, null],
      [45, 50, failed],
      [50, 120, null],
    ]).tells,
  ).toEqual(['0 problem critical state:TL-2104', '110 recovery']);
  expect(recoveryHoldMs).toBe(30_000);
});

test('a route that comes and goes is told less and less', () => {
  // A minute of failure, a minute and a half of peace, for two hours.
  const hours = Array.from({ length: 48 }, (_, at) => at * 150).flatMap(
    (at): [number, number, Observation | null][] => [
      [at, at + 60, failed],
      [at + 60, at + 150, null],
    ],
  );
  const { tells } = run(hours);
  // Twice it is believed that it is well.
  expect(tells.filter((tell) => tell.includes('recovery'))).toHaveLength(2);
  expect(tells.filter((tell) => tell.includes('problem'))).toHaveLength(3);
});

test('an engine goes on where the one before has stopped', () => {
  const told = { severity: 'critical', causes: ['state:TL-2104'], sinceMs: 0 } as const;
  expect(run([[0, 100, failed]], quiet(told)).tells).toEqual([]);
  expect(
    run(
      [
        [0, 10, failed],
        [10, 50, null],
      ],
      quiet(told),
    ).tells,
  ).toEqual(['40 recovery']);
});

test('whatever happens: problems and recoveries take turns, and what lasts is told', () => {
  const observation = fc.constantFrom(null, lag, worse, failed);
  fc.assert(
    fc.property(fc.array(fc.tuple(observation, fc.integer({ min: 1, max: 900 })), { maxLength: 30 }), (phases) => {
      let at = 0;
      const seconds = phases.map(([now, length]) => {
        at += length;
        return [at - length, at, now] as const;
      });
      // Longer than any hold.
      const last = phases.at(-1)?.[0] ?? null;
      const { tells, state } = run([...seconds, [at, at + 601, last]]);
      for (const [index, tell] of tells.entries())
        if (tell.includes('recovery')) expect(tells[index - 1]).toContain('problem');
      expect(state.pending).toBeNull();
      expect(state.told === null).toBe(last === null);
      // What is less bad than what was told is nothing new.
      if (last?.severity === state.told?.severity && last !== null) expect(state.told?.causes).toContain(last.cause);
    }),
  );
});
