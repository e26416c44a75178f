import { expect, test } from 'vitest';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../src/core/position.ts';
import { type EarlyReadingOptions, SessionReadsEarly } from '../../../src/supervisor/early-reading.ts';

const route = {
  name: 'r',
  schemaChanges: 'halt',
  ddl: 'ignore',
  apply: { onError: 'halt' },
} as unknown as EarlyReadingOptions['route'];
const at = (place: number): Position => String(place) as Position;
const order = { covers: (a: string, b: string) => Number(a) >= Number(b) } as unknown as EarlyReadingOptions['order'];

function session(change: Partial<EarlyReadingOptions> = {}) {
  const meter = { readWholeTo: null as Position | null, readsWhole: false };
  const reads = new SessionReadsEarly({ route, order, meter, acceptsSchemaChanges: false, ...change });
  return { meter, reads };
}

const refused = fail(targetErrors.commitFailed, { route: 'r', position: at(20), sqlState: '23505', message: 'there' });
const lost = fail(nodeErrors.unreachable, { node: 'here', why: 'gone' });

test('what a session halts at while early transactions are under way is read again, whole, and is met then', () => {
  const { meter, reads } = session();
  reads.given(at(100));
  expect(reads.ended(refused)).toMatchObject({ code: 'TL-3122', recovery: 'retry' });
  expect(meter.readWholeTo).toBe('100');
  const next = session({ meter: { ...meter, readsWhole: false } });
  expect([next.reads.mayFrom(at(50)), next.reads.mayFrom(at(100))]).toEqual([false, true]);
  expect(next.reads.ended(refused)).toBe(refused);
});

test('whatever else it ends of, the next one does not meet it in the same way', () => {
  const { meter, reads } = session();
  reads.given(at(100));
  expect(reads.ended(lost)).toBe(lost);
  expect(meter.readWholeTo).toBe('100');
  expect(session({ meter: { readWholeTo: null, readsWhole: true } }).reads.mayFrom(at(50))).toBe(false);
});

test('once all of them are applied its errors are what they are', () => {
  const { meter, reads } = session();
  reads.given(at(100));
  reads.applied(at(99));
  reads.applied(at(100));
  expect(reads.ended(refused)).toBe(refused);
  expect(meter.readWholeTo).toBeNull();
});

test('what would not be met again halts at once', () => {
  const once = [
    fail(targetErrors.committedOff, { route: 'r', position: at(20), message: '2 rows, not 3' }),
    fail(nodeErrors.defect, { name: 'TypeError', where: 'x.ts:1' }),
    fail(sourceErrors.publicationMissing, { route: 'r', publication: 'p' }),
    fail(sourceErrors.publicationIncomplete, {
      route: 'r',
      publication: 'p',
      why: 'no truncate',
      statement: 's',
      tables: [],
    }),
    fail(routeErrors.fenced, { route: 'r', epoch: '1' }),
    new Error('none of ours'),
  ];
  for (const error of once) {
    const { reads } = session();
    reads.given(at(100));
    expect(reads.ended(error)).toBe(error);
  }
});

test('routes that go by the ends of transactions read none early', () => {
  const others = [{ schemaChanges: 'evolve' }, { ddl: 'replicate' }, { apply: { onError: 'park' } }] as const;
  for (const other of others) {
    const asked = { ...route, ...other } as EarlyReadingOptions['route'];
    expect(session({ route: asked }).reads.mayFrom(at(50))).toBe(false);
  }
  expect(session({ acceptsSchemaChanges: true }).reads.mayFrom(at(50))).toBe(false);
  expect(session().reads.mayFrom(at(50))).toBe(true);
});
