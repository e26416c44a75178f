import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { LongValues, longBytes, statementBytes, writeStatements } from '../../connectors/mysql/long-value.ts';
import { singleByte } from '../../connectors/mysql/source/binlog/values/text-decoder.ts';
import type { LiteralKind } from '../../connectors/mysql/target/column-kind.ts';
import { markedLiteral, valueLiteral } from '../../connectors/mysql/target/value-literal.ts';
import type { Cell } from '../../src/core/cell.ts';

const long = (unit: string): string => unit.repeat(Math.ceil((longBytes + 1) / unit.length));

/** Of every remainder of three, so that base64 ends in every way. */
const values: readonly (readonly [string, Cell, LiteralKind])[] = [
  ['ASCII', long('abc'), 'text'],
  ['text of several bytes', long('ä🏠€x'), 'text'],
  ...['', 'a', 'ab'].map((more) => [`quotes and backslashes${more}`, `${long("it's \\ ä")}${more}`, 'text'] as const),
  ['a zero byte', long('a\0'), 'text'],
  ['a document', `"${long('x\\"y')}"`, 'json'],
  ['text for bytes', long("b'ä"), 'bytes'],
  ...[0, 1, 2].map(
    (more) => [`bytes ${more}`, Buffer.alloc(longBytes + 1 + more, "a\0\xff'", 'latin1'), 'bytes'] as const,
  ),
];

test.for(values)('a long value goes into its statement as a short one does: %s', ([, cell, kind]) => {
  const marks = new LongValues();
  const text = `insert into t values (${markedLiteral('short', 'text', marks)},${markedLiteral(cell, kind, marks)},1),(${markedLiteral(cell, kind, marks)})`;
  expect(text.length).toBeLessThan(100);
  const statement = marks.statement(text);
  const literal = meantBy(valueLiteral(cell, kind));
  const head = Buffer.from([9, 9, 9, 9, 3]);
  const written = writeStatements(head, ['begin', statement, 'commit'], ';\n');
  expect(written.subarray(0, 5)).toEqual(head);
  const sent = written.subarray(5).toString();
  expect(statementBytes(statement)).toBe(written.length - 5 - 'begin;\n;\ncommit'.length);
  const match = /^begin;\ninsert into t values \('short',([^,]*),1\),\(([^,]*)\);\ncommit$/s.exec(
    // Commas of the value itself would end it.
    sent.replaceAll(', ', ''),
  );
  expect([match?.[1], match?.[2]].map((each) => meantBy(each ?? '').equals(literal))).toEqual([true, true]);
  // What comes next begins with nothing marked.
  expect(marks.statement('select 1')).toBe('select 1');
});

/** The bytes that a literal is, however it is written. */
function meantBy(literal: string): Buffer {
  const base64 = /from_base64\('([^']*)'\)/.exec(literal)?.[1];
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  const hex = /^x'([^']*)'$/.exec(literal)?.[1];
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  expect(/^'[^']*'$/s.test(literal)).toBe(true);
  return Buffer.from(literal.slice(1, -1));
}

/** Of the heap, once what nobody needs is gone: how much of that is there depends on when it was collected last. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

test('a long text of a charset of one byte a character takes no object for each', () => {
  const decode = singleByte(
    Array.from({ length: 256 }, (_, byte) =>
      byte === 0x81 ? undefined : byte === 0x80 ? '€' : String.fromCharCode(byte),
    ),
  );
  const bytes = Buffer.alloc(3_000_001, 'abc\x80\xe4', 'latin1');
  const before = liveBytes();
  const text = decode(bytes, 0, bytes.length);
  expect(liveBytes() - before).toBeLessThan(40e6);
  expect(text === `${'abc€ä'.repeat(600_000)}a`).toBe(true);
  bytes[2_999_999] = 0x81;
  expect(() => decode(bytes, 0, bytes.length)).toThrow();
});
