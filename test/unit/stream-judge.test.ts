import { expect, test } from 'vitest';
import { ABSENT, type Row } from '../../src/core/cell.ts';
import type { Change } from '../../src/core/change.ts';
import { type CompareSide, keyText, type RowKey } from '../../src/core/compare-side.ts';
import type { Position } from '../../src/core/position.ts';
import type { SourceReader } from '../../src/core/source-reader.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import type { Judgement } from '../../src/operations/compare/judge.ts';
import { StreamJudge } from '../../src/operations/compare/stream-judge.ts';
import type { Suspect } from '../../src/operations/compare/suspects.ts';
import type { TablePlan } from '../../src/operations/compare/table-plan.ts';
import type { LiveStream } from '../../src/pipeline/live-stream.ts';
import type { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { TargetLooks } from '../../src/pipeline/target-looks.ts';
import { type ChangedRows, WatermarkWindows } from '../../src/pipeline/watermark-windows.ts';

const column = (name: string, key: boolean) => ({ name, type: 'pg_catalog.int4', modifier: -1, key });

function version(...names: readonly [string, ...string[]]): TableVersion {
  const columns = names.map((name, at) => column(name, at === 0));
  return { schema: 'public', name: 'item', columns, identity: 'default' };
}

function part(...changes: Change[]): TransactionPart {
  const commit = { position: '0/1' as unknown as Position, atMs: 0, id: '1' };
  return { id: '1', origin: [], changes, rows: 0, bytes: 0, commit, urgency: 'ride' };
}

/** A stream to which watermarks come at once, with a reader that, as each does, knows the keys that it was asked for. */
function stream(rows: readonly Row[], looks = new TargetLooks()): LiveStream {
  const windows = new WatermarkWindows();
  let asked = false;
  const reader: Partial<SourceReader> = {
    async key() {
      asked = true;
      return { columns: ['id'] };
    },
    async watermark(id) {
      const { look } = windows.pass(part({ kind: 'watermark', id }));
      if (look !== undefined) await looks.reached(look);
    },
    async read({ columns }) {
      if (!asked) throw new RangeError('a table whose key was not asked for');
      const text = [Buffer.from(rows.map((row) => `${row.join('\t')}\n`).join(''))];
      const facts = { columns: columns.map((name) => ({ name })) };
      return { text, rows: rows.length, bytes: 0, last: null, ended: true, facts } as never;
    },
  };
  return { windows, looks, reader: reader as SourceReader, ended: new AbortController().signal };
}

const source = version('id', 'n');
const shape = { table: source, key: ['id'], columns: [], condition: null };
const plan = {
  binding: { source },
  output: { table: source },
  sourceShape: shape,
  targetShape: shape,
} as unknown as TablePlan;
const mapper = { rows: (_: unknown, row: Row) => [{ output: plan.output, row }] } as unknown as TableMapper;

test('a compare that outlives a stream goes on beside the next one', async () => {
  const target: Partial<CompareSide> = {
    rows: async () => new Map([[keyText(['1']), ['1', '2']]]),
    rowsGiven: async (_, rows) => new Map(rows.map((row) => [keyText([String(row[0])]), row.map(String)])),
  };
  let live = stream([['1', '1']]);
  const { signal } = new AbortController();
  const judge = new StreamJudge({ route: 'r', live: () => live, mapper, target: target as CompareSide, signal });
  const suspect = { key: ['1'] as RowKey, kind: 'different' as const };
  expect(await judge.judge(plan, [suspect])).toMatchObject([{ verdict: 'different' }]);
  live = stream([['1', '2']]);
  expect(await judge.judge(plan, [suspect])).toMatchObject([{ verdict: 'equal' }]);
});

test('a compare that finds no stream, or whose stream ends under it, is to be tried again', async () => {
  const target: Partial<CompareSide> = { rows: async () => new Map(), rowsGiven: async () => new Map() };
  const { signal } = new AbortController();
  const over = new AbortController();
  const ends: LiveStream = {
    ...stream([]),
    reader: {
      key: async () => ({ columns: ['id'] }),
      watermark: async () => {
        over.abort();
        throw new RangeError('the session has ended');
      },
    } as unknown as SourceReader,
    ended: over.signal,
  };
  const suspects: readonly Suspect[] = [{ key: ['1'], kind: 'different' }];
  for (const live of ['soon', ends] as const) {
    const judge = new StreamJudge({ route: 'r', live: () => live, mapper, target: target as CompareSide, signal });
    await expect(judge.judge(plan, suspects)).rejects.toMatchObject({ code: 'TL-4154', recovery: 'retry' });
  }
});

test('a compare does not go on over a table that lacks a column by now', async () => {
  const live = stream([['1', '1']]);
  const { read } = live.reader;
  const altered = {
    ...live.reader,
    read: async (...asked: Parameters<SourceReader['read']>) =>
      ({ ...(await read(...asked)), facts: { columns: [{ name: 'id' }] } }) as never,
  };
  const judge = new StreamJudge({
    route: 'r',
    live: () => ({ ...live, reader: altered }),
    mapper,
    target: { rows: async () => new Map(), rowsGiven: async () => new Map() } as Partial<CompareSide> as CompareSide,
    signal: new AbortController().signal,
  });
  await expect(judge.judge(plan, [{ key: ['1'], kind: 'different' }])).rejects.toMatchObject({
    code: 'TL-4155',
    place: { route: 'r', table: 'public.item' },
  });
});

test('a target that does not answer holds up the stream only so long, and nothing is written after that', async () => {
  let answer = (): void => {};
  const target: Partial<CompareSide> = {
    rows: () =>
      new Promise((resolve) => {
        answer = () => resolve(new Map());
      }),
    rowsGiven: async (_, rows) => new Map(rows.map((row) => [keyText([String(row[0])]), row.map(String)])),
  };
  const live = stream([['1', '1']], new TargetLooks({ ms: 20 }));
  const done: string[] = [];
  const judge = new StreamJudge({
    route: 'r',
    live: () => live,
    mapper,
    target: target as CompareSide,
    signal: new AbortController().signal,
    act: async () => void done.push('written'),
    giveUp: () => void done.push('given up'),
  });
  const suspect = { key: ['1'] as RowKey, kind: 'different' as const };
  await expect(judge.judge(plan, [suspect])).rejects.toMatchObject({ code: 'TL-4170', recovery: 'retry' });
  answer();
  await new Promise(setImmediate);
  expect(done).toEqual(['given up']);
});

test('a row with a value that has no form at the target differs, is told by the column, and nothing is written for it', async () => {
  const has: Partial<CompareSide> = {
    rows: async (_, keys) => new Map(keys.filter(([key]) => key !== '3').map((key) => [keyText(key), [...key, '2']])),
    // What stands for the value is what the target has.
    rowsGiven: async (_, rows) => new Map(rows.map((row) => [keyText([String(row[0])]), [String(row[0]), '2']])),
  };
  const carrier: TablePlan['carrier'] = {
    row: (row, onRefused) => {
      if (row[1] !== '99999') return row;
      onRefused('n');
      return [row[0] ?? null, null];
    },
    keys: { there: (key) => key, back: (key) => key },
  };
  const acted: Judgement[] = [];
  const live = stream([
    ['1', '99999'],
    ['2', '2'],
    ['3', '99999'],
  ]);
  const judge = new StreamJudge({
    route: 'r',
    live: () => live,
    mapper,
    target: has as CompareSide,
    signal: new AbortController().signal,
    act: async (_, judgements) => void acted.push(...judgements),
  });
  const suspects = ['1', '2', '3'].map((id): Suspect => ({ key: [id], kind: 'different' }));
  const beyond: Suspect = { key: ['70000'], kind: 'missing', refused: ['id'] };
  const judged = await judge.judge({ ...plan, carrier } as TablePlan, [...suspects, beyond]);
  expect(judged).toEqual([
    { key: ['70000'], verdict: 'missing', seen: null, refused: ['id'] },
    { key: ['1'], verdict: 'different', seen: null, refused: ['n'] },
    { key: ['2'], verdict: 'equal', seen: expect.anything() },
    { key: ['3'], verdict: 'missing', seen: null, refused: ['n'] },
  ]);
  expect(acted.filter(({ verdict, seen }) => verdict !== 'equal' && seen !== null)).toEqual([]);
});

test.for<[string, Change]>([
  ['a key column is renamed', { kind: 'insert', table: version('number', 'n'), after: ['1', '2'] }],
  ['old rows are logged without it', { kind: 'delete', table: version('n', 'id'), before: ['1', ABSENT] }],
])('a window does not end the stream where %s: nothing is known of its rows', ([, change]) => {
  const windows = new WatermarkWindows();
  let seen: ChangedRows | undefined;
  windows.open({
    low: 'low',
    high: 'high',
    tables: new Map([['public.item', ['id']]]),
    close: (passed, changed) => {
      seen = changed.get('public.item');
      return passed;
    },
  });
  windows.pass(part({ kind: 'watermark', id: 'low' }));
  windows.pass(part(change));
  windows.pass(part({ kind: 'watermark', id: 'high' }));
  expect(seen?.overflowed).toBe(true);
});
