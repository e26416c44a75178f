import { expect, test } from 'vitest';
import { ABSENT, UNCHANGED } from '../../src/core/cell.ts';
import type { Change } from '../../src/core/change.ts';
import type { Position } from '../../src/core/position.ts';
import type { SourceReader } from '../../src/core/source-reader.ts';
import type { TableDefinition } from '../../src/core/table-facts.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { LoadMemory } from '../../src/operations/load/load-memory.ts';
import { TableLoad } from '../../src/operations/load/table-load.ts';
import { versionOf } from '../../src/pipeline/judge-definition.ts';
import { LoadingTables } from '../../src/pipeline/loading-tables.ts';
import type { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { WatermarkWindows } from '../../src/pipeline/watermark-windows.ts';

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

test('a key that is read again, and that another row with untold cells moves to meanwhile, is read once more', async () => {
  const windows = new WatermarkWindows();
  const loading = new LoadingTables();
  const passed: TransactionPart[] = [];
  const pass = (one: TransactionPart): void => void passed.push(loading.pass(windows.pass(one)));
  const moves: Change[] = [{ kind: 'update', table, before: ['8', ABSENT], after: ['7', UNCHANGED] }];
  const reader: Partial<SourceReader> = {
    watermark: async (id) => pass(part({ kind: 'watermark', id })),
    async read() {
      for (const move of moves.splice(0)) pass(part(move));
      const text = [Buffer.from('7\tvalue\n')];
      return { text, rows: 1, bytes: 8, last: ['7'], ended: true, facts: definition as never };
    },
  };
  const mapper = {
    bind: () => ({ source: table, steps: [], outputs: [{ table, projection: null }], dropped: new Set(), kept: null }),
  } as unknown as TableMapper;
  const load = new TableLoad(
    {
      source: 'public.item',
      existing: 'refuse',
      key: ['id'],
      after: ['9'],
      ended: true,
      again: [['7']],
      rows: 0,
      bytes: 0,
    },
    {
      route: 'r',
      reader: reader as SourceReader,
      windows,
      loading,
      mapper,
      memory: new LoadMemory(1_000_000),
      chunkBytes: 1_000,
      definition: () => definition,
    },
  );
  await load.run(new AbortController().signal);
  const chunks = passed.flatMap(({ chunk }) => chunk ?? []);
  // What the target stores: the key goes from its list only with the row.
  expect(chunks.map(({ progress, sets }) => [progress.readAgain, sets.length, progress.done])).toEqual([
    [[], 0, false],
    [[['7'], ['7']], 1, true],
  ]);
});
