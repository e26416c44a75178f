import { expect, test } from 'vitest';
import { RouteTrials } from '../../src/service/route-trials.ts';

const old = 41;
const fresh = 42;

function trials(replaced: number | null = old): RouteTrials<string> {
  const made = new RouteTrials<string>();
  made.begin('one', { before: 'as it was', fingerprint: 'f', replaced });
  return made;
}

test('a change that can not be carried out is taken back although the worker that it replaces still says that it runs', () => {
  const on = trials();
  for (const state of ['running', 'catchingUp', 'failed'] as const)
    expect(on.hear('one', { state, worker: old })).toBe(false);
  expect(on.hear('one', { state: 'starting', worker: fresh })).toBe(false);
  expect(on.hear('one', { state: 'failed', worker: fresh })).toBe(true);
  expect(on.end('one')).toEqual({ before: 'as it was', fingerprint: 'f', replaced: old });
  // Told twice, it goes back once.
  expect(on.hear('one', { state: 'failed', worker: fresh })).toBe(false);
  expect(on.end('one')).toBeNull();
});

test('what halts a route after it has run with the change is its own, and so is what halts another route', () => {
  for (const state of ['running', 'catchingUp'] as const) {
    const on = trials();
    expect(on.hear('other', { state: 'failed', worker: fresh })).toBe(false);
    expect(on.hear('one', { state, worker: fresh })).toBe(false);
    expect(on.hear('one', { state: 'failed', worker: fresh })).toBe(false);
    expect(on.end('one')).toBeNull();
  }
});

test('a route that had no worker is on trial from its first one on', () => {
  expect(trials(null).hear('one', { state: 'failed', worker: fresh })).toBe(true);
});
