import { expect, test } from 'vitest';
import { sourceErrors } from '../../src/core/errors/catalogue/source.ts';
import { targetErrors } from '../../src/core/errors/catalogue/target.ts';
import { fail } from '../../src/core/errors/tidelock-error.ts';
import type { BegunLoad, Existing } from '../../src/core/load.ts';
import { loadObstacles } from '../../src/core/load-obstacles.ts';
import type { Position } from '../../src/core/position.ts';
import type { RouteDefinition } from '../../src/core/route.ts';
import type { SourceReader } from '../../src/core/source-reader.ts';
import { type TableName, tableLabel } from '../../src/core/table.ts';
import {
  changeLoadProblems,
  changeUncopiedProblems,
  initialLoadProblems,
  type LoadEnds,
} from '../../src/operations/load-problems.ts';
import type { TableStep } from '../../src/operations/plan-route.ts';
import type { TableBinding } from '../../src/pipeline/mapping/table-binding.ts';

interface Facts {
  /** Bytes by table; those whose names begin with `keyed` have a key. */
  readonly bytes: Readonly<Record<string, number>>;
  readonly isAwaited?: boolean;
  readonly existing?: Existing;
  /** Of the target. */
  readonly filled?: readonly string[];
  readonly underForeignKey?: readonly string[];
  readonly replaced?: readonly string[];
  /** Of those whose names end so the route leaves out some rows. */
  readonly filtered?: string;
  readonly mode?: 'initial' | 'none';
  readonly allow?: readonly string[];
  readonly slot?: string;
  readonly prepared?: () => Position | null;
}

function ends({ bytes, isAwaited = false, existing = 'refuse', filled = [], underForeignKey = [], ...facts }: Facts) {
  const { mode = 'initial', allow = [], slot, prepared = () => null } = facts;
  const asked: BegunLoad[] = [];
  const sizeBytes = async (tables: readonly TableName[]): Promise<number> =>
    tables.reduce((sum, { name }) => sum + (bytes[name] ?? 0), 0);
  const reader = {
    key: async ({ name }: TableName) => (name.startsWith('keyed') ? { columns: ['id'] } : null),
    size: async () => ({ rows: 1, bytes: 1 }),
    hasRows: async ({ name }: TableName) => (bytes[name] ?? 0) > 0,
    close: async () => {},
  };
  const checkLoads = async (loads: readonly BegunLoad[]) => {
    asked.push(...loads);
    return await loadObstacles(loads, async (some) => {
      for (const { load } of some) {
        const [table = ''] = load.targets;
        const place = { route: 'r', table: `${table}_child`, constraint: 'f' };
        if (underForeignKey.includes(table)) throw fail(targetErrors.loadUnderForeignKey, place);
        if (load.existing === 'refuse' && filled.includes(table))
          throw fail(targetErrors.targetNotEmpty, { route: 'r', table });
      }
    });
  };
  const emptyTables = async (tables: readonly TableName[]): Promise<string[]> =>
    tables.map(tableLabel).filter((label) => !filled.includes(label));
  const load = { mode, existing, wholeUpToBytes: 100_000_000 };
  return {
    asked,
    ends: {
      definition: { name: 'r', given: { slot }, allow, load } as unknown as RouteDefinition,
      source: {
        sizeBytes,
        reader: () => reader as unknown as SourceReader,
        isAwaited: async () => isAwaited,
        prepared: async () => prepared(),
      },
      target: { checkLoads, emptyTables },
    } satisfies LoadEnds,
  };
}

function bindingsOf({ bytes, filtered }: Facts): TableBinding[] {
  return Object.keys(bytes).map((name) => {
    const table = { schema: 'public', name, identity: 'full', columns: [] } as const;
    const steps = filtered !== undefined && name.endsWith(filtered) ? [{ kind: 'cells' }, { kind: 'filter' }] : [];
    return { source: table, tables: [table], steps } as unknown as TableBinding;
  });
}

/** What a change is told beforehand that adds all of these tables. */
async function added(facts: Facts): Promise<string[]> {
  const replaced = new Set(facts.replaced);
  const copied = bindingsOf(facts).map((binding) => {
    const label = tableLabel(binding.source);
    const own = replaced.has(label) ? [label] : [];
    const step: TableStep = { action: 'add', source: label, target: label, loads: true, replaced: own };
    return { step, binding };
  });
  return (await changeLoadProblems(ends(facts).ends, copied, replaced)).map(textOf);
}

async function begun(facts: Facts): Promise<string[]> {
  return (await initialLoadProblems(ends(facts).ends, bindingsOf(facts))).map(textOf);
}

function textOf({ code, place }: { readonly code: string; readonly place: object }): string {
  const { table, bytes } = place as { readonly table?: string; readonly bytes?: number };
  return `${code} ${table ?? bytes}`;
}

const large = 1_000_000_001;

test('what a change loads may be of any size only where it is loaded in ranges: by a key, or since COMMITs wait for the route', async () => {
  expect(await added({ bytes: { loose: large - 1 } })).toEqual([]);
  expect(await added({ bytes: { loose: large } })).toEqual([`TL-2302 ${large}`]);
  expect(await added({ bytes: { keyed: 5 * large, keyed2: 5 * large, loose: large - 1 } })).toEqual([]);
  expect(await added({ bytes: { keyed: 1, loose: 600_000_000, loose2: 600_000_000 } })).toEqual(['TL-2302 1200000000']);
  // In ranges, whatever its size: so it needs a key.
  expect(await added({ bytes: { keyed: 5 * large }, isAwaited: true })).toEqual([]);
  expect(await added({ bytes: { loose: 1 }, isAwaited: true })).toEqual(['TL-4160 public.loose']);
});

test('what keeps a table of a change from being loaded beside the stream is told before, each table by itself', async () => {
  const underForeignKey = ['public.keyed', 'public.keyed2'];
  const two = { keyed: large, keyed2: 1, keyed3: 1 };
  expect(await added({ bytes: two, underForeignKey })).toEqual([
    'TL-2306 public.keyed_child',
    'TL-2306 public.keyed2_child',
  ]);
  // In one piece nothing is in the way.
  expect(await added({ bytes: { keyed: 1, keyed2: 1 }, underForeignKey })).toEqual([]);
  expect(await added({ bytes: { keyed: 1 }, underForeignKey, existing: 'merge' })).toEqual([
    'TL-2306 public.keyed_child',
  ]);
  expect(await added({ bytes: { keyed: 1 }, underForeignKey, isAwaited: true })).toEqual([
    'TL-2306 public.keyed_child',
  ]);
});

test.each([
  ['in one piece', 1],
  ['in ranges', large],
])('rows that are in the way of a load %s are told before', async (_, size) => {
  const facts: Facts = { bytes: { keyed: size, keyed2: size }, filled: ['public.keyed'] };
  expect(await added(facts)).toEqual(['TL-2301 public.keyed']);
  expect(await added({ ...facts, existing: 'merge' })).toEqual([]);
  expect(await added({ ...facts, existing: 'replace' })).toEqual([]);
  expect(await added({ ...facts, replaced: ['public.keyed'] })).toEqual([]);
  expect(await begun(facts)).toEqual(['TL-2301 public.keyed']);
  expect(await begun({ ...facts, existing: 'replace' })).toEqual([]);
});

test('a route that begins copies in one piece what can not be loaded beside the stream, and is told of where it is too large', async () => {
  const underForeignKey = ['public.keyed'];
  expect(await begun({ bytes: { keyed: 900_000_000 }, underForeignKey })).toEqual([]);
  expect(await begun({ bytes: { keyed: large }, underForeignKey })).toEqual(['TL-2306 public.keyed_child']);
  expect(await begun({ bytes: { keyed: 1 }, underForeignKey, existing: 'merge' })).toEqual([
    'TL-2306 public.keyed_child',
  ]);
  expect(await begun({ bytes: { keyed: large, loose: large } })).toEqual([`TL-2302 ${large}`]);
  // Copied with the others then, and so to be empty.
  expect(await begun({ bytes: { keyed: 900_000_000 }, underForeignKey, filled: ['public.keyed'] })).toEqual([
    'TL-2301 public.keyed',
  ]);
});

test('a route that brings changes only is told before that nobody has copied its tables', async () => {
  const none: Facts = { bytes: { keyed: 1, keyed2: 1, bare: 0 }, mode: 'none' };
  expect(await begun(none)).toEqual(['TL-2308 public.keyed']);
  expect(await begun({ ...none, filled: ['public.keyed'] })).toEqual(['TL-2308 public.keyed2']);
  expect(await begun({ ...none, filled: ['public.keyed', 'public.keyed2'] })).toEqual([]);
  expect(await begun({ ...none, allow: ['emptyTarget'] })).toEqual([]);
  // Which rows travel is looked at when the route begins; where its queue is there it looks as it is done here.
  expect(await begun({ ...none, filtered: 'keyed' })).toEqual(['TL-2308 public.keyed2']);
  const prepared = () => '0/1' as unknown as Position;
  expect(await begun({ ...none, filtered: 'keyed', prepared })).toEqual(['TL-2308 public.keyed']);
  expect(await begun({ ...none, filtered: 'keyed', slot: 'given', mode: 'initial' })).toEqual(['TL-2308 public.keyed']);
  const lost = (): never => {
    throw fail(sourceErrors.preparedMoved, { route: 'r', why: 'it is gone' });
  };
  expect(await begun({ ...none, prepared: lost })).toMatchObject([expect.stringContaining('TL-3118')]);
});

test('a change that adds tables without a load is told before that nobody has copied them', async () => {
  const joined = async (facts: Facts) =>
    (await changeUncopiedProblems(ends(facts).ends, bindingsOf(facts))).map(textOf);
  const none: Facts = { bytes: { keyed: 1, keyed2: 1, bare: 0 }, mode: 'none' };
  expect(await joined(none)).toEqual(['TL-2308 public.keyed']);
  expect(await joined({ ...none, filled: ['public.keyed', 'public.keyed2'] })).toEqual([]);
  expect(await joined({ ...none, allow: ['emptyTarget'] })).toEqual([]);
  expect(await joined({ bytes: {}, mode: 'none' })).toEqual([]);
  // The change looks at each row, but where COMMITs wait for the route.
  expect(await joined({ ...none, filtered: 'keyed' })).toEqual(['TL-2308 public.keyed2']);
  expect(await joined({ ...none, filtered: 'keyed', isAwaited: true })).toEqual(['TL-2308 public.keyed']);
});

test('only what a server says of the loads is told; what is about the way to it is thrown', async () => {
  const asked: number[] = [];
  const way = fail(targetErrors.targetNotEmpty, { route: 'r', table: 't' });
  const lost = Object.assign(Object.create(way) as typeof way, { recovery: 'retry' });
  await expect(
    loadObstacles([1, 2], async (loads) => {
      asked.push(loads.length);
      throw lost;
    }),
  ).rejects.toBe(lost);
  expect(asked).toEqual([2]);
});
