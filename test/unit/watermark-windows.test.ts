import { expect, test } from 'vitest';
import { UNCHANGED } from '../../src/core/cell.ts';
import type { TableVersion } from '../../src/core/table.ts';
import { mergeChunk } from '../../src/pipeline/merge-chunk.ts';
import { ChangedRows } from '../../src/pipeline/watermark-windows.ts';

function table(...names: readonly string[]): TableVersion {
  const columns = names.map((name) => ({ name, type: 'pg_catalog.text', modifier: -1, key: name === 'id' }));
  return { schema: 'public', name: 't', identity: 'default', columns };
}

test('a cell that a change does not carry is that of the change before, unless the table was altered in between', () => {
  const before = table('gone', 'id', 'note', 'big');
  const after = table('id', 'note', 'big');
  const changed = new ChangedRows(['id']);
  changed.note({ kind: 'update', table: before, before: null, after: ['x', '1', 'a', 'large'] });
  changed.note({ kind: 'update', table: before, before: null, after: ['x', '1', 'b', UNCHANGED] });
  expect([...changed.rows.values()]).toMatchObject([{ row: ['x', '1', 'b', 'large'], moved: false }]);
  changed.note({ kind: 'update', table: after, before: null, after: ['1', 'c', UNCHANGED] });
  expect([...changed.rows.values()]).toMatchObject([{ row: ['1', 'c', UNCHANGED], moved: true, table: after }]);
});

test('of rows that were read before a TRUNCATE none is left, and what came behind it is', () => {
  const changed = new ChangedRows(['id']);
  changed.note({ kind: 'insert', table: table('id', 'v'), after: ['1', 'before'] });
  changed.truncate();
  changed.note({ kind: 'insert', table: table('id', 'v'), after: ['2', 'after'] });
  const text = [Buffer.from('1\tbefore\n2\told\n3\tbefore\n')];
  const facts = {} as never;
  const read = { text, rows: 3, bytes: 20, last: null, ended: true, facts };
  const { untouched, touched } = mergeChunk(read, 2, [0], changed);
  expect([untouched, touched]).toEqual([{ text: [], count: 0 }, [['2', 'after']]]);
});

test('rows without a key are told apart by all of their cells: NULL is no text, and no cell ends where a zero byte is', () => {
  const changed = new ChangedRows(['a', 'b']);
  const rows = [
    [null, 'x'],
    ['null', 'x'],
    ['a\0b', 'c'],
    ['a', 'b\0c'],
    ['a\0,b', 'c'],
    ['a', 'b\0,c'],
    ['\0n', 'x'],
  ];
  for (const after of rows) changed.note({ kind: 'insert', table: table('a', 'b'), after });
  expect([...changed.rows.values()].map(({ key }) => key)).toEqual(rows);
});
