import { expect, test, vi } from 'vitest';
import { ABSENT, UNCHANGED } from '../../src/core/cell.ts';
import type { Change } from '../../src/core/change.ts';
import type { LoadedChunk } from '../../src/core/load.ts';
import type { Position } from '../../src/core/position.ts';
import type { ReadRange, SourceReader } from '../../src/core/source-reader.ts';
import type { TableDefinition } from '../../src/core/table-facts.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { ChunkSize } from '../../src/operations/load/chunk-size.ts';
import { LoadDesk } from '../../src/operations/load/load-desk.ts';
import { LoadMemory } from '../../src/operations/load/load-memory.ts';
import { LoadPace } from '../../src/operations/load/load-pace.ts';
import { LoadsBesideStream, type LoadsOptions } from '../../src/operations/load/loads-beside-stream.ts';
import { TableLoad } from '../../src/operations/load/table-load.ts';
import { TargetTime } from '../../src/operations/load/target-time.ts';
import { versionOf } from '../../src/pipeline/judge-definition.ts';
import { LoadingTables } from '../../src/pipeline/loading-tables.ts';
import { sourceLineage } from '../../src/pipeline/mapping/lineage.ts';
import type { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { WatermarkWindows } from '../../src/pipeline/watermark-windows.ts';
import { until } from '../support/until.ts';

const definition = {
  schema: 'public',
  name: 'item',
  id: '1',
  identity: 'default',
  columns: ['id', 'v'].map((name, at) => ({
    name,
    type: 'pg_catalog.text',
    modifier: -1,
    key: at === 0,
    id: at + 1,
    stamp: '1',
  })),
  generated: [],
  storage: {},
} as unknown as TableDefinition;
const table = versionOf(definition);

function part(...changes: Change[]): TransactionPart {
  const commit = { position: '0/1' as unknown as Position, atMs: 0, id: '1' };
  return { id: '1', origin: [], changes, rows: changes.length, bytes: 0, commit, urgency: 'ride' };
}

interface Loaded {
  readonly found?: () => TableDefinition;
  readonly tableId?: string;
  /** As the stream has it where it has got to. */
  readonly known?: () => TableDefinition | null;
  /** Rows of the target still go: what the target tells of a chunk that takes them. */
  readonly onEmpties?: (load: TableLoad, chunk: LoadedChunk) => void;
  /** So many ranges of the table are not loaded yet; what has passed is applied when this is called. */
  readonly ranges?: { readonly count: number; onPassed(applied: () => void): void };
}

/** What goes to the target of a load whose ranges are all loaded, and that has these keys to read again. */
async function readAgain(
  keys: readonly string[],
  chunkBytes: number,
  read: (pass: (change: Change) => void, range: ReadRange) => readonly string[],
  { found = () => definition, known = () => definition, tableId, onEmpties, ranges }: Loaded = {},
): Promise<readonly LoadedChunk[]> {
  const windows = new WatermarkWindows();
  const loading = new LoadingTables();
  const passed: TransactionPart[] = [];
  const memory = new LoadMemory(1_000_000);
  let answered = 0;
  // What has passed is applied at once.
  const pass = (one: Change): void => {
    const out = loading.pass(windows.pass(part(one)));
    const { chunk } = out;
    if (chunk !== undefined && ranges !== undefined) ranges.onPassed(() => memory.give(chunk.reserved));
    else if (chunk !== undefined) memory.give(chunk.reserved);
    if (out.chunk?.empties !== undefined) onEmpties?.(load, out.chunk);
    passed.push(out);
  };
  const reader: Partial<SourceReader> = {
    key: async () => ({ columns: ['id'] }),
    watermark: async (id) => pass({ kind: 'watermark', id }),
    async read({ range }) {
      const rows = read(pass, range);
      const text = [Buffer.from(rows.join(''))];
      const bytes = text.reduce((sum, { length }) => sum + length, 0);
      const ended = ++answered >= (ranges?.count ?? 0);
      const last = ended ? null : [String(answered)];
      return { text, rows: rows.length, bytes, last, ended, facts: found() as never };
    },
  };
  const mapper = {
    bind: () => ({
      source: table,
      steps: [],
      tables: [table],
      outputs: [{ table, projection: null, owns: null, lineage: sourceLineage(2), apart: [] }],
      dropped: new Set(),
      kept: null,
    }),
  } as unknown as TableMapper;
  const load = new TableLoad(
    {
      source: 'public.item',
      existing: 'refuse',
      where: null,
      emptying: onEmpties !== undefined,
      key: ['id'],
      after: ranges === undefined ? ['9'] : null,
      ended: ranges === undefined,
      again: keys.map((key) => [key]),
      rows: 0,
      bytes: 0,
      tableId: tableId ?? null,
    },
    {
      route: 'r',
      reader: reader as SourceReader,
      windows,
      loading,
      mapper,
      memory,
      time: new TargetTime(),
      pace: new LoadPace({
        limits: { rowsPerSecond: null, bytesPerSecond: null, maxLoad: null, lagMs: null },
        lagMs: () => null,
      }),
      chunkBytes,
      definition: known,
    },
  );
  await load.run(new AbortController().signal);
  return passed.flatMap(({ chunk }) => chunk ?? []);
}

test('a key that is read again, and that another row with untold cells moves to meanwhile, is read once more', async () => {
  const moves: Change[] = [{ kind: 'update', table, before: ['8', ABSENT], after: ['7', UNCHANGED] }];
  const chunks = await readAgain(['7'], 1_000, (pass) => {
    for (const move of moves.splice(0)) pass(move);
    return ['7\tvalue\n'];
  });
  // What the target stores: the key goes from its list only with the row.
  expect(chunks.map(({ progress, sets }) => [progress.readAgain, sets.length, progress.done])).toEqual([
    [[], 0, false],
    [[['7'], ['7']], 1, true],
  ]);
});

test('as many rows are read again at once as fit into the memory of a chunk', async () => {
  const keys = Array.from({ length: 100 }, (_, at) => String(100 + at));
  const asked: number[] = [];
  await readAgain(keys, 10_000, (_, range) => {
    if (range.kind !== 'keys') throw new Error('a range of a table that is loaded');
    asked.push(range.keys.length);
    return range.keys.map(([key]) => `${key}\t${'x'.repeat(2_000)}\n`);
  });
  expect(asked[0]).toBe(1);
  expect(Math.max(...asked)).toBe(4);
  expect(asked.reduce((sum, count) => sum + count, 0)).toBe(keys.length);
});

test('a range under which more changes than is kept is read again', async () => {
  let asked = 0;
  const chunks = await readAgain(['7'], 1_000, (pass) => {
    asked++;
    const updates = asked === 1 ? Array.from({ length: 10 }, (_, n) => `${n}${'x'.repeat(500_000)}`) : [];
    for (const v of updates) pass({ kind: 'update', table, before: null, after: ['7', v] });
    return ['7\tvalue\n'];
  });
  expect(asked).toBe(2);
  expect(chunks.map(({ progress }) => progress.rows)).toEqual([1]);
});

test('what was read of another definition than the stream has come to is read again', async () => {
  const altered = definition.columns.map((column) => ({ ...column, type: 'pg_catalog.int4' }));
  const found = [{ ...definition, columns: altered }];
  const told: TableDefinition[] = [];
  const chunks = await readAgain(['7'], 1_000, () => ['7\tvalue\n'], {
    found: () => {
      told.push(found.shift() ?? definition);
      return told.at(-1) ?? definition;
    },
  });
  expect(told).toHaveLength(2);
  expect(chunks.map(({ progress }) => progress.rows)).toEqual([1]);
});

test('a load does not go on over another table of the same name, whose first rows it would leave out', async () => {
  await expect(readAgain(['7'], 1_000, () => ['7\tvalue\n'], { tableId: '0' })).rejects.toMatchObject({
    code: 'TL-4165',
  });
});

test('a load waits a minute for what the source has made of its table, and then ends with its code', async () => {
  vi.useFakeTimers();
  try {
    let isOver = false;
    const loading = readAgain(['7'], 1_000, () => ['7\tvalue\n'], { known: () => null }).finally(() => {
      isOver = true;
    });
    loading.catch(() => {});
    await vi.advanceTimersByTimeAsync(59_000);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(3_000);
    await expect(loading).rejects.toMatchObject({ code: 'TL-4161', place: { route: 'r', table: 'public.item' } });
  } finally {
    vi.useRealTimers();
  }
});

test('a job does not begin another load of a table whose own load goes on, and hears of it', async () => {
  const desk = new LoadDesk();
  const over = new AbortController();
  const own = {
    ...{ source: 'public.item', targets: ['public.item'], existing: 'refuse', where: null, emptying: false },
    ...{ key: ['id'], after: null, ended: false, again: [], rows: 0, bytes: 0, tableId: null, done: false },
    ...{ expectedRows: 1, expectedBytes: 1, job: null },
  };
  const loads = new LoadsBesideStream({
    definition: { name: 'r', apply: { memoryBytes: 1e8 }, load: { limits: {} } },
    source: { reader: () => ({ key: async () => null, watermark: async () => {}, close: async () => {} }) },
    store: { loads: async () => [own] },
    mapper: {},
    windows: new WatermarkWindows(),
    loading: new LoadingTables(),
    desk,
    lagMs: () => null,
    tableDefinition: () => null,
    onProgress: () => {},
  } as unknown as LoadsOptions);
  await loads.open();
  const running = loads.run(over.signal);
  const refused = Promise.withResolvers<unknown>();
  desk.onChange(() => {
    const failure = desk.takeFailure(5);
    if (failure !== null) refused.resolve(failure);
  });
  desk.want({ source: 'public.item', existing: 'merge', where: null, job: 5 });
  expect(await refused.promise).toMatchObject({ code: 'TL-4162', place: { route: 'r', table: 'public.item' } });
  over.abort();
  await running;
});

test('what an earlier load of the table has emptied is not what this one has, which then reads all ranges', async () => {
  const emptying: boolean[] = [];
  const ranges: ReadRange[] = [];
  const chunks = await readAgain(
    [],
    1_000,
    (_, range) => {
      ranges.push(range);
      return ['1\tvalue\n'];
    },
    {
      onEmpties: (load, chunk) => {
        load.applied({ ...chunk, load: 'an earlier one', emptied: true });
        emptying.push(load.emptying);
        load.applied({ ...chunk, emptied: true });
        emptying.push(load.emptying);
      },
    },
  );
  expect(emptying).toEqual([true, false]);
  expect(ranges).toMatchObject([{ kind: 'after', key: null }]);
  expect(chunks).toHaveLength(2);
});

test('no more is under way than the target applies in a while, so that changes behind it come soon', async () => {
  const { signal } = new AbortController();
  const memory = new LoadMemory(1_000);
  const size = new ChunkSize(1_000_000);
  size.measured({ rows: 2_000, bytes: 200, ms: 10 });
  expect(size.rows).toBe(8_000);
  // What nobody knows counts in full.
  expect(size.expectedApplyMs).toBe(180);
  size.applied({ rows: 2_000, ms: 90 });
  expect(size.rows).toBe(4_000);
  const reserved = { bytes: 1, ms: size.expectedApplyMs };
  await memory.take(reserved, signal);
  await memory.take(reserved, signal);
  let taken = 2;
  const third = memory.take(reserved, signal).then(() => taken++);
  await new Promise(setImmediate);
  expect(taken).toBe(2);
  memory.give(reserved);
  await third;
});

test('where changes come less is under way than where none do', async () => {
  const { signal } = new AbortController();
  let nowMs = 0;
  const time = new TargetTime(() => nowMs);
  const size = new ChunkSize(1_000_000, { time });
  const memory = new LoadMemory(1_000, time);
  const applied = (): number => {
    size.applied({ rows: 1_000, ms: 90 });
    size.measured({ rows: 1_000, bytes: 100, ms: 1 });
    return size.rows;
  };
  expect(applied()).toBe(2_000);
  time.changed();
  expect([applied(), size.expectedApplyMs]).toEqual([1_000, 90]);
  const reserved = { bytes: 1, ms: size.expectedApplyMs };
  await memory.take(reserved, signal);
  await memory.take(reserved, signal);
  let isTaken = false;
  const third = memory.take(reserved, signal).then(() => {
    isTaken = true;
  });
  await new Promise(setImmediate);
  expect(isTaken).toBe(false);
  memory.give(reserved);
  await third;
  nowMs = 5_000;
  expect(applied()).toBe(2_000);
  await memory.take(reserved, signal);
});

test('of one table a range is read while the one before it is applied, and none beyond that', async () => {
  const from: (readonly string[] | null)[] = [];
  const applied: (() => void)[] = [];
  const count = 4;
  const loading = readAgain(
    [],
    1_000,
    (_, range) => {
      if (range.kind !== 'after') throw new Error('a key of a table that lacks ranges');
      from.push(range.key);
      return [`${from.length}\tvalue\n`];
    },
    { ranges: { count, onPassed: (done) => applied.push(done) } },
  );
  for (let read = 2; read <= count; read++) {
    await until('a range ahead', () => from.length >= read && applied.length >= read);
    await new Promise(setImmediate);
    expect(from).toHaveLength(read);
    applied[read - 2]?.();
  }
  const chunks = await loading;
  // Each goes on where the one before it has ended, also in what is stored.
  expect(from).toEqual([null, ['1'], ['2'], ['3']]);
  expect(chunks.map(({ progress }) => [progress.after, progress.ended, progress.done])).toEqual([
    [['1'], false, false],
    [['2'], false, false],
    [['3'], false, false],
    [['3'], true, true],
  ]);
});

test('what is read and not at the target yet stays within the memory of loads', async () => {
  const { signal } = new AbortController();
  const memory = new LoadMemory(100);
  await memory.take({ bytes: 60, ms: 10 }, signal);
  let isTaken = false;
  const second = memory.take({ bytes: 60, ms: 10 }, signal).then(() => {
    isTaken = true;
  });
  await new Promise(setImmediate);
  expect(isTaken).toBe(false);
  memory.give({ bytes: 60, ms: 10 });
  await second;
});

test('what a load has written is told apart from what it has read, of which the route leaves out some', () => {
  const written: number[] = [];
  const meter = { loaded: (_: unknown, rows: number) => written.push(rows) };
  const told: number[] = [];
  const loads = new LoadsBesideStream({
    definition: { apply: { memoryBytes: 1e8 }, load: { limits: {} } },
    source: { reader: () => null },
    meter,
    onProgress: () => {},
    onLoaded: (rows: number) => told.push(rows),
  } as unknown as LoadsOptions);
  const progress = { after: ['9'], ended: true, readAgain: [], rows: 9, bytes: 90, done: false, tableId: '1' };
  const texts = { text: [Buffer.from('1\ta\n2\tb\n')], count: 2 };
  const sets = [texts, [['3', 'c']]].map((rows) => ({ table, telling: [], touched: false, rows }));
  const chunk: LoadedChunk = { source: 'public.item', load: '1', sets, progress, reserved: { bytes: 0, ms: 0 } };
  loads.applied({ ...part(), chunk });
  expect([written, told]).toEqual([[2, 1], [3]]);
});

test('tables of a greater priority are read first, also where there are more than are read at once', async () => {
  const priorities: Readonly<Record<string, number>> = { a: 0, b: 0, c: 0, d: 5, e: 10 };
  const names = Object.keys(priorities);
  const begun: string[] = [];
  const reader: Partial<SourceReader> = {
    key: async ({ name }) => {
      begun.push(name);
      return { columns: ['id'] };
    },
    watermark: (_, signal) =>
      new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    close: async () => {},
  };
  const loads = names.map((name) => ({
    ...{ source: `public.${name}`, targets: [`public.${name}`], existing: 'refuse', where: null, emptying: false },
    ...{ key: ['id'], after: null, ended: false, again: [], rows: 0, bytes: 0, expectedRows: 9, expectedBytes: 9 },
    ...{ job: null, done: false, tableId: null },
  }));
  const over = new AbortController();
  const beside = new LoadsBesideStream({
    definition: {
      name: 'r',
      apply: { memoryBytes: 1e8 },
      load: { limits: { rowsPerSecond: null, bytesPerSecond: null, maxLoad: null, lagMs: null } },
      tables: { select: (_: string, name: string) => ({ loadPriority: priorities[name] }) },
    },
    source: { reader: () => reader },
    store: { loads: async () => loads },
    windows: new WatermarkWindows(),
    loading: new LoadingTables(),
    desk: new LoadDesk(),
    lagMs: () => null,
    tableDefinition: (label: string) => ({ ...definition, name: label.slice('public.'.length) }),
    onProgress: () => {},
  } as unknown as LoadsOptions);
  await beside.open();
  begun.length = 0;
  const running = beside.run(over.signal);
  await until('three tables', () => begun.length === 3);
  over.abort();
  await running;
  expect(begun).toEqual(['e', 'd', 'a']);
});
