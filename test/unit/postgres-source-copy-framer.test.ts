import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CopyFramer, type FrameReceiver } from '../../connectors/postgres/source/copy-framer.ts';

/** A message of the protocol: letter, length, content. */
function framed(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([header, content]);
}

const logData = (content: Buffer): Buffer =>
  framed('d', Buffer.concat([Buffer.from('w'), Buffer.alloc(24, 7), content]));

/** A large row is wanted where its first byte is even. */
const sizes = { askedBytes: 2_000, headBytes: 60 };
const isLeftOut = (content: Buffer): boolean => content.length + 30 > sizes.askedBytes && (content[0] ?? 0) % 2 === 1;

function receive(): { framer: CopyFramer; got: [string, string][] } {
  const got: [string, string][] = [];
  const receiver: FrameReceiver = {
    onLogData: (bytes, start, end) => got.push(['row', bytes.toString('hex', start, end)]),
    onLargeLogData: (bytes, start) => (bytes[start] ?? 0) % 2 === 0,
    onOther: (message) => got.push(['other', message.toString('hex')]),
  };
  return { framer: new CopyFramer(receiver, sizes), got };
}

const content = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 3_000, maxLength: 4_000 }));
const message = fc.tuple(
  fc.constantFrom('row', 'keepalive', 'other'),
  content.map((bytes) => Buffer.from(bytes)),
);

test('wherever the socket cuts them, messages come out as they went in, without the large ones that nobody wants', () => {
  const cuts = fc.array(fc.oneof(fc.nat(12), fc.nat(900), fc.constant(70)), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), cuts, (messages, sizes) => {
      const expected: [string, string][] = [];
      const wire: Buffer[] = [];
      for (const [kind, bytes] of messages) {
        const sent =
          kind === 'row'
            ? logData(bytes)
            : kind === 'keepalive'
              ? framed('d', Buffer.concat([Buffer.from('k'), bytes]))
              : framed('N', bytes);
        wire.push(sent);
        if (kind !== 'row') expected.push(['other', sent.toString('hex')]);
        else if (!isLeftOut(bytes)) expected.push(['row', bytes.toString('hex')]);
      }
      const stream = Buffer.concat(wire);
      const { framer, got } = receive();
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = (sizes[turn % sizes.length] ?? 0) + 1;
        const chunk = Buffer.from(stream.subarray(at, at + size));
        framer.push(chunk);
        // The socket uses its bytes again.
        chunk.fill(0xee);
        at += size;
      }
      expect(got).toEqual(expected);
    }),
  );
});

test('a length that no message has is refused, also where it is cut', () => {
  const wrong = Buffer.from([0x64, 0, 0, 0, 3]);
  expect(() => receive().framer.push(wrong)).toThrow(RangeError);
  const { framer } = receive();
  framer.push(wrong.subarray(0, 4));
  expect(() => framer.push(wrong.subarray(4))).toThrow(RangeError);
});
