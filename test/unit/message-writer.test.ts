import { expect, test } from 'vitest';
import { MessageWriter, TextBytes } from '../../connectors/postgres/target/message-writer.ts';

/** Messages by their letters, each as long as it says. */
function messagesOf(pieces: readonly Buffer[]): [string, Buffer][] {
  const all = Buffer.concat(pieces);
  const messages: [string, Buffer][] = [];
  for (let at = 0; at < all.length; ) {
    const end = at + 1 + all.readInt32BE(at + 1);
    messages.push([String.fromCharCode(all[at] as number), all.subarray(at + 5, end)]);
    at = end;
  }
  return messages;
}

/** Of a Bind of the unnamed portal. */
function valuesOf(body: Buffer): (string | null)[] {
  let at = body.indexOf(0, 1) + 1;
  at += 2 + 2 * body.readUInt16BE(at);
  const values: (string | null)[] = [];
  const count = body.readUInt16BE(at);
  at += 2;
  for (let left = count; left > 0; left--) {
    const bytes = body.readInt32BE(at);
    at += 4;
    values.push(bytes < 0 ? null : body.toString('utf8', at, at + bytes));
    at += Math.max(0, bytes);
  }
  expect(body.length - at).toBe(2);
  return values;
}

test('a statement has its values, large ones from where they lie', () => {
  const writer = new MessageWriter();
  const large = Buffer.from('ä'.repeat(20_000));
  const expected: (string | null)[][] = [];
  for (const values of [[large], ['a', large, null, large, 'b'], [large, large, 'c'.repeat(50_000)], ['d']]) {
    writer.bind(
      's',
      values.map((value) => (Buffer.isBuffer(value) ? new TextBytes(value) : value)),
    );
    writer.execute();
    expected.push(values.map((value) => (value === null ? null : `${value}`)));
  }
  const { bytes, lentBytes } = writer;
  expect(lentBytes).toBe(5 * large.length);
  const pieces = writer.take();
  expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(bytes);
  expect([writer.bytes, writer.lentBytes]).toEqual([0, 0]);
  const messages = messagesOf(pieces);
  expect(messages.map(([letter]) => letter).join('')).toBe('BEBEBEBE');
  expect(messages.flatMap(([letter, body]) => (letter === 'B' ? [valuesOf(body)] : []))).toEqual(expected);
  expect(pieces.filter((piece) => piece === large)).toHaveLength(5);
});
