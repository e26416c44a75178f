import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidTextError, RowReader } from '../../connectors/postgres/source/pgoutput/row-reader.ts';
import { arrayLiteral } from '../../connectors/postgres/target/array-literal.ts';
import { copyMessages } from '../../connectors/postgres/target/copy-messages.ts';
import { copyText } from '../../connectors/postgres/target/copy-text.ts';
import { keyReader } from '../../connectors/postgres/target/key-form.ts';
import { TextBytes } from '../../connectors/postgres/target/message-writer.ts';
import { bindRows } from '../../connectors/postgres/target/statement.ts';
import type { TargetColumn } from '../../connectors/postgres/target/target-table.ts';
import type { Row } from '../../src/core/cell.ts';
import { PackedInserts } from '../../src/core/packed-inserts.ts';
import { PackedInsert, packedAfter, unpackRow } from '../../src/core/packed-row.ts';
import type { TableVersion } from '../../src/core/table.ts';
import { packed } from '../support/packed.ts';

const cell = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.toWellFormed().replaceAll('\0', '')),
  fc.string({ unit: fc.constantFrom('\\', 'N', '\t', '\n', '\r', '\b', '\v', '\f', '\x07', 'ä', '🏠'), maxLength: 12 }),
  fc.constantFrom('-1', '0', '123456789012345', '1234567890123456', '-9223372036854775808', ''),
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 500, maxLength: 600 }),
  fc.string({ unit: fc.constantFrom('a', 'ü', '\\'), minLength: 500, maxLength: 600 }),
  fc.constant(null),
);
const rows = fc
  .integer({ min: 1, max: 6 })
  .chain((columns) => fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 30 }));

function table(columns: number): TableVersion {
  const names = Array.from({ length: columns }, (_, at) => ({ name: `c${at}`, type: 'pg_catalog.text', modifier: -1 }));
  return { schema: 'public', name: 't', identity: 'default', columns: names.map((one) => ({ ...one, key: false })) };
}

/** An insert as pgoutput sends it, in the middle of a chunk. */
function message(row: readonly (string | null)[]): { bytes: Buffer; start: number; end: number } {
  const { bytes, at, end } = packed(row);
  const insert = Buffer.concat([Buffer.from('I\0\0\x40\x01N'), bytes.subarray(at, end)]);
  return { bytes: Buffer.concat([Buffer.from('xyz'), insert, Buffer.from('zz')]), start: 3, end: 3 + insert.length };
}

/** As they come in one large transaction: two in each chunk of the socket. */
function inserted(all: readonly (readonly (string | null)[])[]): PackedInserts {
  const inserts = new PackedInserts(table(all[0]?.length ?? 0));
  for (let at = 0; at < all.length; at += 2) {
    const pair = all.slice(at, at + 2).map(packed);
    const bytes = Buffer.concat(pair.map((one) => one.bytes));
    for (const [place, one] of pair.entries()) {
      const before = place === 0 ? 0 : (pair[0]?.bytes.length ?? 0);
      inserts.add({ ...one, bytes, at: before + one.at, end: before + one.end });
    }
  }
  return inserts;
}

/** What is in the messages of a COPY, each of which is as long as it says. */
function contentOf(pieces: readonly Buffer[]): string {
  const all = Buffer.concat(pieces);
  const lines: Buffer[] = [];
  for (let at = 0; at < all.length; ) {
    expect(all[at]).toBe('d'.charCodeAt(0));
    const end = at + 1 + all.readInt32BE(at + 1);
    expect(end).toBeLessThanOrEqual(all.length);
    lines.push(all.subarray(at + 5, end));
    at = end;
  }
  return Buffer.concat(lines).toString();
}

test('a row that was not looked into is what it is when it is read cell by cell', () => {
  const reader = new RowReader();
  fc.assert(
    fc.property(rows, (all) => {
      for (const row of all) {
        const { bytes, start, end } = message(row);
        const found = reader.packed(bytes, start, end, table(row.length));
        if (found === null) throw new Error('not taken as it came');
        expect(unpackRow(found)).toEqual(row);
        reader.open(bytes, start, end);
        reader.kind();
        expect(reader.tuple(table(row.length), false)).toEqual(row);
        expect(new PackedInsert(table(row.length), found).after).toEqual(row);
      }
    }),
  );
});

test('what is not a whole new row, or longer than its message, is not taken as it came', () => {
  const reader = new RowReader();
  const { bytes, start, end } = message(['abc', 'def']);
  expect(reader.packed(bytes, start, end, table(3))).toBeNull();
  expect(reader.packed(bytes, start, end - 1, table(2))).toBeNull();
  for (const letter of 'KO') {
    const other = Buffer.from(bytes);
    other[start + 5] = letter.charCodeAt(0);
    expect(reader.packed(other, start, end, table(2))).toBeNull();
  }
  const unchanged = Buffer.from(bytes);
  unchanged[start + 8] = 'u'.charCodeAt(0);
  expect(reader.packed(unchanged, start, end, table(2))).toBeNull();
  for (const at of [13, 15]) {
    const broken = Buffer.from(bytes);
    broken[start + at] = 0xe4;
    expect(() => reader.packed(broken, start, end, table(2))).toThrow(InvalidTextError);
  }
});

test('COPY gets the same of rows that were looked into and of those that were not', () => {
  fc.assert(
    fc.property(rows, fc.array(fc.boolean(), { minLength: 1 }), (all, opened) => {
      const inserts = all.map((row) => new PackedInsert(table(row.length), packed(row)));
      for (const [at, insert] of inserts.entries()) if (opened[at % opened.length]) insert.after.length;
      const together = [inserted(all.slice(0, 3)), inserted(all.slice(3))];
      for (const data of [copyMessages(inserts), copyMessages([], together)]) {
        expect(contentOf(data)).toBe(copyText(all));
      }
      expect(together.flatMap((each) => each.changes().map(({ after }) => after))).toEqual(all);
    }),
  );
});

test('arrays get the same of rows that were looked into and of those that were not', () => {
  fc.assert(
    fc.property(rows, fc.array(fc.boolean(), { minLength: 1 }), fc.boolean(), (all, opened, isQuoted) => {
      const columns = all[0]?.length ?? 0;
      const form = isQuoted ? 'quoted' : 'plain';
      // The key is read from one image and the row from another, which may be the same.
      const parameters = [
        { image: 'old', index: columns - 1, form } as const,
        ...Array.from({ length: columns }, (_, index) => ({ image: 'new', index, form }) as const),
      ];
      const statement = { name: 'update', text: '', parameters };
      const images = all.map((row, at) => (opened[at % opened.length] ? row : packed(row)));
      const values = all.length === 0 ? [] : bindRows(statement, images, images);
      const texts = values.map((value) => (value instanceof TextBytes ? value.bytes.toString() : null));
      const literals = parameters.map(({ index }) => arrayLiteral(all, index, form));
      expect(texts).toEqual(all.length === 0 ? [] : literals);
    }),
  );
});

test('parameters of one row get the same of a row that was looked into and of one that was not', () => {
  fc.assert(
    fc.property(rows, (all) => {
      for (const row of all) {
        const parameters = row.map((_, at) => ({ image: 'new', index: row.length - 1 - at, form: 'single' }) as const);
        const statement = { name: 'insert', text: '', parameters };
        const values = bindRows(statement, [], [packed(row)]);
        const texts = values.map((value) => (value instanceof TextBytes ? value.bytes.toString() : value));
        expect(texts).toEqual(bindRows(statement, [], [row]));
      }
    }),
  );
});

test('more than one message of COPY holds the same rows', () => {
  const all = Array.from({ length: 3_000 }, (_, at) => [String(at), `row\t${at}`.repeat(at % 90), null]);
  const messages = copyMessages(all.map((row) => new PackedInsert(table(3), packed(row))));
  expect(messages.length).toBeGreaterThan(3);
  expect(contentOf(messages)).toBe(copyText(all));
});

test('large values come whole, whether they are sent from where they lie or written anew', () => {
  const plain = 'ab"ü '.repeat(9_000);
  const all = [0, 1, 2, 3].map((at) => [String(at), plain, null, `${plain}\\${plain}\n`, `${at}`, plain]);
  all.push(['5', 'small', null, 'x', 'y', plain], ['6', null, null, null, null, null], ['7', 'a', 'b', 'c', 'd', 'e']);
  const rows = all.map((row) => packed(row));
  const messages = copyMessages(rows.map((row) => new PackedInsert(table(6), row)));
  expect(contentOf(messages)).toBe(copyText(all));
  // Nothing is copied of what needs no escape.
  const lent = messages.filter(({ buffer }) => rows.some(({ bytes }) => bytes.buffer === buffer));
  expect(lent.map(({ length }) => length)).toEqual(Array.from({ length: 9 }, () => Buffer.byteLength(plain)));
});

test('large rows are left out of COPY where somebody takes them, and are all that is', () => {
  const plain = 'ab"ü '.repeat(9_000);
  const all = [
    ['1', 'a'],
    ['2', plain],
    ['3', null],
    ['4', `${plain}\n`],
  ].map(([id = '', text]) => [id, text ?? null]);
  const split = (inserts: readonly PackedInsert[], together: readonly PackedInserts[]): void => {
    const large: Row[] = [];
    const copied = copyMessages(inserts, together, (row) => large.push(unpackRow(row)));
    expect(contentOf(copied)).toBe(copyText([all[0], all[2]] as Row[]));
    expect(large).toEqual([all[1], all[3]]);
  };
  split(
    all.map((row) => new PackedInsert(table(2), packed(row))),
    [],
  );
  split([], [inserted(all)]);
  // So many small values are less by COPY.
  const wide = Array.from({ length: 1_000 }, (_, at) => `${plain.slice(0, 100)}${at}`);
  const whole = copyMessages([new PackedInsert(table(1_000), packed(wide))], [], () => expect.unreachable());
  expect(contentOf(whole)).toBe(copyText([wide]));
});

test('a row whose cells were asked for is what was made of them', () => {
  const change = new PackedInsert(table(2), packed(['a', 'b']));
  expect(packedAfter(change)).not.toBeNull();
  change.after[1] = 'c';
  expect(packedAfter(change)).toBeNull();
  expect(change.after).toEqual(['a', 'c']);
  const replaced = new PackedInsert(table(2), packed(['a', 'b']));
  replaced.after = ['d'];
  expect(packedAfter(replaced)).toBeNull();
  expect(replaced.after).toEqual(['d']);
});

test('keys are the same of rows that were looked into and of those that were not', () => {
  const column = (baseType: string): TargetColumn => ({ baseType, baseKind: 'b', deterministic: true }) as TargetColumn;
  const integer = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -50n, max: 50n }));
  const of = {
    'pg_catalog.int8': integer.map(String),
    'pg_catalog.numeric': fc.constantFrom('1', '1.0', '1.00', '-0.50', '100'),
    'pg_catalog.bpchar': fc.constantFrom('a', 'a  ', 'ä '),
    'pg_catalog.text': fc.string({ maxLength: 5 }),
  };
  const types = fc.subarray(Object.keys(of) as (keyof typeof of)[], { minLength: 1 });
  fc.assert(
    fc.property(
      types.chain((names) => fc.tuple(fc.constant(names), fc.tuple(...names.map((name) => fc.option(of[name]))))),
      ([names, row]) => {
        const read = keyReader(names.map((name, index) => ({ index: index + 1, column: column(name) })));
        const whole = ['first', ...row];
        expect(read?.packed(packed(whole))).toBe(read?.(whole));
        expect(read?.(whole) === null).toBe(row.includes(null));
      },
    ),
  );
});
