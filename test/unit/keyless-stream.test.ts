import { expect, test, vi } from 'vitest';
import { nodeErrors } from '../../src/core/errors/catalogue/node.ts';
import { routeErrors } from '../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../src/core/errors/catalogue/target.ts';
import { fail } from '../../src/core/errors/tidelock-error.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openKeylessView } from '../../src/operations/load/keyless-view.ts';
import { LoadDesk } from '../../src/operations/load/load-desk.ts';
import { versionOf } from '../../src/pipeline/judge-definition.ts';
import { definitionOf, KeylessBench } from '../support/keyless-bench.ts';
import { until } from '../support/until.ts';

const pairs = (rows: number): [string, string][] =>
  Array.from({ length: rows }, (_, n) => [String(n % 7), `v${n % 3}`]);

const bare = 'public.bare';

/** Until the table is complete, with a change of each kind before each range. */
function busy(bench: KeylessBench): void {
  let step = 0;
  bench.onRange = () => {
    const at = (step * 5) % Math.max(1, bench.rows.get(bare)?.length ?? 1);
    if (step % 4 === 0) bench.insert(bare, ['1', `new ${step}`]);
    else if (step % 4 === 1) bench.update(bare, at, ['2', 'v1']);
    else if (step % 4 === 2) bench.delete(bare, at);
    // One that was there as it is now, and may be loaded or not.
    else bench.update(bare, at, ['3', 'v0']);
    step++;
  };
}

test('a load without a key that its job lets rest keeps its place, and changes go on to be applied', async () => {
  const bench = await KeylessBench.make({ tables: { bare: pairs(60) }, job: 1 });
  bench.jobs.set(1, { kind: 'load', options: {}, state: 'paused', wish: 'pause' });
  const want = () => bench.desk.want({ source: bare, existing: 'replace', where: null, job: 1 });
  const running = bench.run();
  bench.onRange = () => {
    if (bench.ranges.length === 2) bench.desk.over(1);
  };
  want();
  await until('its rest', () => bench.progress?.loading?.[0]?.rests === true);
  // The range that was under way may come, and no more.
  const rested = bench.ranges.length;
  busy(bench);
  bench.update(bare, 50, ['9', 'changed']);
  bench.delete(bare, 0);
  bench.insert(bare, ['9', 'new']);
  expect(bench.target.get(bare)).toContain('9,new');
  expect(bench.ranges.length).toBe(rested);
  expect(bench.progress?.loading).toMatchObject([{ rests: true, keyless: true }]);
  expect(bench.progress?.loading?.[0]).not.toHaveProperty('unfollowed');
  want();
  await until('the end of the load', () => bench.isDone(bare));
  const [target, source] = bench.sides(bare);
  expect(target).toEqual(source);
  expect(bench.anew).toBe(0);
  // Ten ranges of six rows, each read once.
  expect(bench.ranges.length).toBeLessThan(20);
  await bench.stop(running);
});

test('a load without a key that was cancelled lets its snapshot go: nothing is applied then, and that is told', async () => {
  const bench = await KeylessBench.make({ tables: { bare: pairs(60) }, job: 1 });
  bench.jobs.set(1, { kind: 'load', options: {}, state: 'cancelled', wish: 'cancel' });
  const running = bench.run();
  bench.onRange = () => {
    if (bench.ranges.length === 2) bench.desk.over(1);
  };
  bench.desk.want({ source: bare, existing: 'replace', where: null, job: 1 });
  await until('the end of the view', () => bench.isViewClosed);
  await until('what is told', () => bench.progress?.loading?.[0]?.unfollowed === true);
  expect(bench.progress?.loading).toMatchObject([{ rests: true, keyless: true, unfollowed: true }]);
  const left = bench.target.get(bare)?.length;
  bench.insert(bare, ['9', 'new']);
  bench.delete(bare, 0);
  expect(bench.target.get(bare)).toHaveLength(left ?? -1);
  expect(bench.anew).toBe(0);
  await bench.stop(running);
});

test('what the route makes of rows it makes of those of a load without a key, and of their changes meanwhile', async () => {
  const route = `tables: [{ name: public.bare, where: "id <> 4", transforms: [{ set: { v: "upper(v)" } }], columns: { rename: { v: w } } }]`;
  const bench = await KeylessBench.make({ route, tables: { bare: pairs(80) } });
  busy(bench);
  const running = bench.run();
  await until('the end of the load', () => bench.isDone(bare));
  bench.update(bare, 3, ['4', 'leaves']);
  bench.update(bare, 5, ['5', 'stays']);
  const [target, source] = bench.sides(bare, ([id, v]) => (id === '4' ? null : `${id},${v?.toUpperCase()}`));
  expect(target.length).toBeGreaterThan(50);
  expect(target).toEqual(source);
  await bench.stop(running);
});

test('a TRUNCATE ends a load without a key: what comes behind it comes with the stream', async () => {
  for (const isMoved of [true, false]) {
    const bench = await KeylessBench.make({ tables: { bare: pairs(60) } });
    bench.onRange = () => {
      if (bench.ranges.length !== 2 || bench.moved.has(bare)) return;
      // A row that was not loaded is owed by then.
      bench.delete(bare, 59);
      // The reader meets what the stream has not told of yet.
      if (isMoved) bench.moved.add(bare);
      const truncated = () => {
        bench.truncate(bare);
        bench.insert(bare, ['1', 'behind']);
        bench.update(bare, 0, ['1', 'changed']);
        bench.insert(bare, ['2', 'v2']);
      };
      if (isMoved) bench.untold.push(truncated);
      else truncated();
    };
    const running = bench.run();
    await until('the end of the load', () => bench.isDone(bare));
    expect(bench.anew).toBe(0);
    bench.delete(bare, 1);
    expect(bench.sides(bare)).toEqual([['1,changed'], ['1,changed']]);
    await bench.stop(running);
  }
});

test('a TRUNCATE that another route has brought, which the target does not follow, has the load begin anew', async () => {
  const bench = await KeylessBench.make({ tables: { bare: pairs(60) } });
  bench.onRange = () => {
    if (bench.ranges.length === 2) bench.truncate(bare, false);
  };
  const running = bench.run();
  await until('its begin', () => bench.anew > 0);
  expect(bench.isDone(bare)).toBe(false);
  await bench.stop(running);
});

test('a load that has to begin anew lets others come to their end first; until then its changes are left out, and that is told', async () => {
  // More of these can't be owed.
  const large = Array.from({ length: 3 }, (_, n): [string, string] => [`${n}`, `${n}`.repeat(200_000)]);
  const bench = await KeylessBench.make({ tables: { bare: [...pairs(30), ...large], other: pairs(90) } });
  const other = 'public.other';
  const isReleased = Promise.withResolvers<void>();
  bench.onRange = async (table, at) => {
    if (table === 'bare' && at >= 12) bench.moved.add(bare);
    if (table === 'other' && at >= 60) await isReleased.promise;
  };
  const running = bench.run();
  await until('both', () => bench.moved.has(bare) && bench.ranges.filter((table) => table === 'other').length >= 10);
  // Long enough for whoever would not wait.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(bench.anew).toBe(0);
  await until('its wait', () => bench.progress?.loading?.[0]?.unfollowed === true);
  const stays = [...(bench.target.get(bare) ?? [])];
  bench.insert(bare, ['9', 'meanwhile']);
  bench.delete(bare, 0);
  for (const _ of large) bench.delete(bare, 29);
  expect(bench.target.get(bare)).toEqual(stays);
  expect(bench.progress?.loading).toMatchObject([{ table: bare, unfollowed: true }, { table: other }]);
  expect(bench.progress?.loading?.[0]).not.toHaveProperty('rests');
  expect(bench.progress?.loading?.[1]).not.toHaveProperty('unfollowed');
  isReleased.resolve();
  await until('its begin', () => bench.anew > 0);
  expect(bench.isDone(other)).toBe(true);
  expect(bench.isDone(bare)).toBe(false);
  await bench.stop(running);
});

test('a job that would end the session begins when the loads that are under way have ended', async () => {
  const bench = await KeylessBench.make({ tables: { bare: pairs(30), later: pairs(3) }, fresh: ['later'] });
  const isReleased = Promise.withResolvers<void>();
  bench.onRange = async (_, at) => {
    if (at >= 12) await isReleased.promise;
  };
  const running = bench.run();
  await until('some ranges', () => bench.ranges.length >= 2);
  bench.desk.want({ source: 'public.later', existing: 'replace', where: null, job: 2 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([bench.begun.length, bench.anew]).toEqual([0, 0]);
  isReleased.resolve();
  await until('its begin', () => bench.anew > 0);
  expect(bench.isDone(bare)).toBe(true);
  expect(bench.begun).toMatchObject([{ source: 'public.later', key: [] }]);
  await bench.stop(running);
});

test('into what a load without a key has left nothing is merged once the table has a key: rows that went since would stay', async () => {
  const bench = await KeylessBench.make({ tables: { bare: pairs(6) }, isBlind: true, job: 1 });
  bench.jobs.set(1, { kind: 'load', options: {}, state: 'cancelled', wish: 'cancel' });
  bench.keys.set(bare, ['id']);
  const running = bench.run();
  bench.desk.want({ source: bare, existing: 'merge', where: null, job: 2 });
  await until('its refusal', () => bench.desk.wanted.length === 0);
  expect(bench.desk.takeFailure(2)).toMatchObject({ code: 'TL-4167' });
  expect(bench.begun).toEqual([]);
  bench.desk.want({ source: bare, existing: 'replace', where: null, job: 3 });
  await until('its begin', () => bench.begun.length > 0);
  expect(bench.begun).toMatchObject([{ source: bare, existing: 'replace', key: ['id'] }]);
  await bench.stop(running);
});

test('a table that has got a key, so that nothing else tells its rows, goes over to a load by that, once', async () => {
  const bench = await KeylessBench.make({ tables: { bare: pairs(6) }, isBlind: true });
  // Rows by their key, of which the session before has loaded some.
  bench.rows.set(bare, [
    ['1', 'a'],
    ['2', 'b'],
  ]);
  bench.target.set(bare, ['1,old', '7,gone']);
  const keyed = definitionOf('bare', { identity: 'default' });
  const columns = keyed.columns.map((column) => ({ ...column, key: column.name === 'id' }));
  bench.catalogue.set(bare, { ...keyed, columns });
  bench.keys.set(bare, ['id']);
  const running = bench.run();
  await until('the load by its key', () => bench.begun.length > 0);
  expect(bench.begun).toMatchObject([{ source: bare, existing: 'replace', key: ['id'] }]);
  // The stream comes to the definition.
  bench.streamed.set(bare, { ...keyed, columns });
  await until('the end of the load', () => bench.isDone(bare));
  expect(bench.anew).toBe(0);
  const [target, source] = bench.sides(bare);
  expect(target).toEqual(source);
  await bench.stop(running);
});

test('a load that nothing tells the rows of any more halts, and ends no session after the other', async () => {
  vi.useFakeTimers();
  try {
    const bench = await KeylessBench.make({ tables: { bare: pairs(6) }, isBlind: true });
    // The stream still has the definition of before.
    bench.catalogue.set(bare, definitionOf('bare', { identity: 'nothing', columns: keyedColumns() }));
    const halted = expect(bench.run()).rejects.toMatchObject({ code: 'TL-4160' });
    await vi.advanceTimersByTimeAsync(70_000);
    await halted;
    expect(bench.anew).toBe(0);
    // The target lacks the key: that is told where it does not come with the stream.
    const keyed = await KeylessBench.make({ tables: { bare: pairs(6) }, isBlind: true });
    keyed.catalogue.set(bare, definitionOf('bare', { identity: 'default', columns: keyedColumns() }));
    keyed.keys.set(bare, ['id']);
    keyed.obstacles = [fail(targetErrors.loadNeedsKey, { route: 'r', table: bare })];
    const refused = expect(keyed.run()).rejects.toMatchObject({ code: 'TL-2305' });
    await vi.advanceTimersByTimeAsync(70_000);
    await refused;
    expect([keyed.anew, keyed.begun]).toEqual([0, []]);
  } finally {
    vi.useRealTimers();
  }
});

function keyedColumns() {
  return definitionOf('bare').columns.map((column) => ({ ...column, key: column.name === 'id' }));
}

test('a table that is altered before its first range has passed is loaded anew; one of which nothing tells halts', async () => {
  vi.useFakeTimers();
  try {
    const more = { name: 'n', type: 'pg_catalog.int4', modifier: -1, key: false, id: 3, stamp: '2' };
    const altered = definitionOf('bare', { columns: [...definitionOf('bare').columns, more] });
    const bench = await KeylessBench.make({ tables: { bare: pairs(6) } });
    bench.catalogue.set(bare, altered);
    bench.streamed.set(bare, altered);
    const running = bench.run();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(bench.anew).toBeGreaterThan(0);
    await bench.stop(running);

    // The view has it as the source does, and the stream never comes to that.
    const untold = await KeylessBench.make({ tables: { bare: pairs(6) } });
    untold.streamed.set(bare, altered);
    const halted = expect(untold.run()).rejects.toMatchObject({ code: 'TL-4161' });
    await vi.advanceTimersByTimeAsync(70_000);
    await halted;
    expect(untold.anew).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a view that COMMITs which wait for the route keep from being made is tried again later, and one that fails leaves nothing behind', async () => {
  const bare = versionOf(definitionOf('bare'));
  const told: string[] = [];
  const snapshot = {
    ...{ position: '0/7', source: {}, tables: [bare], facts: [] },
    hold: async () => told.push('held'),
    places: async () => [{ schema: 'public', name: 'bare', id: '1', storage: '1', blocks: 1 }],
    close: async () => told.push('closed'),
  };
  const stored = { source: 'public.bare', key: [], done: false, job: null };
  const open = (made: () => Promise<unknown>, anew: () => Promise<void>, loads: readonly object[] = [stored]) =>
    openKeylessView({
      source: { tables: async () => [bare], addTables: made, originName: () => 'a' },
      target: {
        takesKeyless: true,
        loader: async ({ position }: { position: string }) => ({
          beginAnew: async (begun: readonly { readonly load: object }[]) => {
            told.push(`${begun.length} at ${position}`);
            await anew();
          },
          abort: async () => told.push('aborted'),
        }),
      },
      store: { loads: async () => loads },
      mapper: { bind: () => ({ source: bare, tables: [bare], dropped: new Set(), kept: null }) },
      ...{ epoch: 1n, logger: silentLogger, desk: new LoadDesk(), signal: new AbortController().signal },
    } as unknown as Parameters<typeof openKeylessView>[0]);
  const nothing = async (): Promise<void> => {};
  const refused = (error: unknown) => async (): Promise<never> => {
    throw error;
  };
  const awaited = fail(nodeErrors.unreachable, { node: 'a', why: 'its COMMITs wait for the route' });
  expect(await open(refused(awaited), nothing)).toEqual({ view: null, isBusy: true });
  const halts = fail(routeErrors.loadWithoutKey, { route: 'r', table: 't' });
  await expect(open(refused(halts), nothing)).rejects.toBe(halts);
  expect(told).toEqual([]);
  await expect(open(async () => snapshot, refused(halts))).rejects.toBe(halts);
  expect(told.splice(0)).toEqual(['held', '1 at 0/7', 'aborted', 'closed']);
  const { view, isBusy } = await open(async () => snapshot, nothing);
  expect([isBusy, [...(view?.parts.keys() ?? [])]]).toEqual([false, ['public.bare']]);
  expect(told.splice(0)).toEqual(['held', '1 at 0/7']);
  // What is complete stays so, and what has a key goes on where it was.
  const others = [
    { ...stored, done: true },
    { ...stored, key: ['id'] },
  ];
  expect(await open(async () => snapshot, nothing, others)).toEqual({ view: null, isBusy: false });
  expect(told).toEqual([]);
});
