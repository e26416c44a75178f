import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  readBegin,
  readCommit,
  readLogicalMessage,
  readRelation,
  readTruncate,
  readType,
} from '../../connectors/postgres/source/pgoutput/messages.ts';
import { RelationCache } from '../../connectors/postgres/source/pgoutput/relation-cache.ts';
import { InvalidTextError, RowReader } from '../../connectors/postgres/source/pgoutput/row-reader.ts';
import { TypeNames } from '../../connectors/postgres/source/pgoutput/type-names.ts';
import { ABSENT, UNCHANGED } from '../../src/core/cell.ts';
import type { TableVersion } from '../../src/core/table.ts';

const int16 = (n: number): Buffer => Buffer.from([n >> 8, n & 255]);
const int32 = (n: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(n);
  return buffer;
};
const int64 = (n: bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(n);
  return buffer;
};
const text = (value: string): Buffer => Buffer.concat([Buffer.from(value), Buffer.alloc(1)]);
const bytes = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));

type Value = string | Buffer | null | typeof UNCHANGED;
function tuple(values: readonly Value[]): Buffer {
  const cells = values.map((value) => {
    if (value === null) return Buffer.from('n');
    if (value === UNCHANGED) return Buffer.from('u');
    const data = Buffer.from(value as string);
    return bytes('t', int32(data.length), data);
  });
  return bytes(int16(values.length), ...cells);
}

function table(keys: readonly boolean[]): TableVersion {
  const columns = keys.map((key, i) => ({ name: `c${i}`, type: 'pg_catalog.text', modifier: -1, key }));
  return { schema: 'public', name: 't', columns, identity: 'default' };
}

test('begin, commit, type, truncate and message carry what the server wrote', () => {
  // 2000-01-01 and one second.
  expect(readBegin(bytes('B', int64(0x1_0000_0010n), int64(1_000_000n), int32(77)))).toEqual({
    commitLsn: 0x1_0000_0010n,
    xid: '77',
  });
  expect(readCommit(bytes('C', Buffer.from([0]), int64(5n), int64(9n), int64(1_999n)))).toEqual({
    endLsn: 9n,
    atMs: 946_684_800_001,
    time: 1999,
  });
  expect(readType(bytes('Y', int32(20_000), text('app'), text('mood')))).toEqual({ oid: 20_000, name: 'app.mood' });
  expect(readTruncate(bytes('T', int32(2), Buffer.from([2]), int32(1), int32(2)))).toEqual({
    oids: [1, 2],
    restartIdentity: true,
  });
  expect(readLogicalMessage(bytes('M', Buffer.from([1]), int64(1n), text('p'), int32(2), 'ö'))).toEqual({
    transactional: true,
    prefix: 'p',
    content: 'ö',
  });
});

test('values of every kind and length come out as they went in, in an ASCII message and in any other', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }).map((s) => s.toWellFormed()),
    fc.string({ maxLength: 300 }),
    fc.constant(null),
    fc.constant(UNCHANGED),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 12 }), fc.nat(70_000), fc.nat(9), (values, oid, before) => {
      const reader = new RowReader();
      const message = bytes('U', int32(oid), 'O', tuple(values), 'N', tuple(values));
      // Among others, of which nothing may be read.
      const around = bytes('ü'.repeat(before), message, 'üü');
      reader.open(around, 2 * before, 2 * before + message.length);
      const version = table(values.map(() => true));
      expect(reader.kind()).toBe('O');
      expect(reader.tuple(version, false)).toEqual(values);
      expect(reader.kind()).toBe('N');
      expect(reader.tuple(version, false)).toEqual(values);
    }),
  );
});

test('columns outside an old key are absent, not null', () => {
  const reader = new RowReader();
  reader.open(bytes('D', int32(1), 'K', tuple(['1', null, null])));
  reader.kind();
  expect(reader.tuple(table([true, false, false]), true)).toEqual(['1', ABSENT, ABSENT]);
});

test('a value survives the buffer that it came in', () => {
  const message = bytes('I', int32(1), 'N', tuple(['plain', 'grün']));
  const reader = new RowReader();
  reader.open(message);
  reader.kind();
  const row = reader.tuple(table([true, true]), false);
  message.fill(0);
  expect(row).toEqual(['plain', 'grün']);
});

test('a byte that is no UTF-8 is refused wherever it stands', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.nat(), fc.integer({ min: 0x80, max: 0xff }), (string, at, byte) => {
      const invalid = Buffer.from(`${string}x`);
      invalid[at % invalid.length] = byte;
      fc.pre(!isUtf8(invalid));
      const reader = new RowReader();
      reader.open(bytes('I', int32(1), 'N', tuple(['plain', invalid])));
      reader.kind();
      expect(() => reader.tuple(table([true, false]), false)).toThrow(InvalidTextError);
    }),
  );
});

test('bytes that are no UTF-8 are refused, a genuine replacement character is not', () => {
  const reader = new RowReader();
  reader.open(bytes('I', int32(1), 'N', tuple(['\ufffd', Buffer.from([0xe4])])));
  reader.kind();
  expect(() => reader.tuple(table([true, false]), false)).toThrow(InvalidTextError);
  reader.open(bytes('I', int32(1), 'N', tuple(['\ufffd'])));
  reader.kind();
  expect(reader.tuple(table([true]), false)).toEqual(['\ufffd']);
});

test('a message that ends too early, or does not fit its table, is refused', () => {
  const message = bytes('I', int32(1), 'N', tuple(['a', 'b', null]));
  for (let length = 6; length < message.length; length++) {
    const reader = new RowReader();
    // Also where what comes after it would do.
    for (const buffer of [message.subarray(0, length), message]) {
      expect(() => {
        reader.open(buffer, 0, length);
        reader.kind();
        reader.tuple(table([true, true, true]), false);
      }).toThrow(RangeError);
    }
  }
  const reader = new RowReader();
  reader.open(message);
  reader.kind();
  expect(() => reader.tuple(table([true]), false)).toThrow(RangeError);
});

test('a table has a new version only when its definition changes, and is announced by the first change that goes on', () => {
  const relation = (oid: number, column: string) =>
    readRelation(
      bytes(
        'R',
        int32(oid),
        text('public'),
        text('t'),
        'd',
        int16(1),
        Buffer.from([1]),
        text(column),
        int32(25),
        int32(-1),
      ),
    );
  const cache = new RelationCache(() => ({ from: null }), new TypeNames([[25, 'pg_catalog.text']]));
  cache.describe(relation(7, 'a'));
  const first = cache.get(7).table;
  const announce = (oid: number) => cache.announce(cache.get(oid), 0x16b3748n, '7:9:');
  expect(first.columns).toEqual([{ name: 'a', type: 'pg_catalog.text', modifier: -1, key: true }]);
  cache.describe(relation(7, 'a'));
  expect(cache.get(7).table).toBe(first);
  cache.describe(relation(8, 'a'));
  expect(cache.get(8).table).toBe(first);
  const common = { kind: 'schemaChange', at: '0/16B3748', seen: '7:9:' };
  expect(announce(8)).toEqual({ ...common, from: null, to: first, tableId: '8' });
  expect(announce(8)).toBeNull();
  // Described again: something about it may have changed that the description does not tell.
  cache.describe(relation(8, 'a'));
  expect(announce(8)).toEqual({ ...common, from: first, to: first, tableId: '8' });
  cache.describe(relation(7, 'b'));
  const second = cache.get(7).table;
  expect(second).not.toBe(first);
  expect(announce(7)).toEqual({ ...common, from: first, to: second, tableId: '7' });
});
