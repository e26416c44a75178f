import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrivingRows } from '../../connectors/mysql/catalogue/arriving-rows.ts';
import { CellRows } from '../../connectors/mysql/catalogue/cell-rows.ts';
import { readRows, readRowText } from '../../connectors/mysql/catalogue/read-rows.ts';
import { type SelectedValue, selectValue } from '../../connectors/mysql/catalogue/select-values.ts';
import { TextRows } from '../../connectors/mysql/catalogue/text-rows.ts';
import { UnreadTextError } from '../../connectors/mysql/catalogue/unread-text-error.ts';
import type { MysqlSession } from '../../connectors/mysql/connect.ts';
import { LongRowError, lastRowOf, RowTextReader } from '../../src/core/row-text.ts';
import { seed } from '../support/seed.ts';

/** As the server sends it: each value behind its length. */
function packetOf(values: readonly (Buffer | null)[]): Buffer {
  const parts = values.flatMap((value) => {
    if (value === null) return [Buffer.from([0xfb])];
    const { length } = value;
    const head = Buffer.alloc(length < 0xfb ? 1 : length < 65_536 ? 3 : 4);
    if (length < 0xfb) head[0] = length;
    else if (length < 65_536) head.writeUInt16LE(length, head.writeUInt8(0xfc));
    else head.writeUIntLE(length, head.writeUInt8(0xfd), 3);
    return [head, value];
  });
  return Buffer.concat(parts);
}

const plain: SelectedValue = { sql: '', isBinary: false, read: null };
const filled: SelectedValue = { ...plain, read: (text) => text.replace(/^0+(?=\d)/, '') };
const selected = [plain, plain, filled];
/** The second is told to be bytes, as a number is, and may have any. */
const areBytes = [false, true, false];

const unicode = fc.string({
  unit: fc.constantFrom('a', 'ä', '😀', '\\', '\t', '\n', '\r', '\b', '\v', '\f', '\0', 'N'),
});
const row = fc.tuple(
  fc.option(fc.oneof(unicode, fc.constantFrom('', '\\N', 'x'.repeat(300), 'é\n'.repeat(40_000))), { nil: null }),
  fc.option(fc.uint8Array({ maxLength: 12 }), { nil: null }),
  fc.option(fc.stringMatching(/^0{0,3}\d{1,4}$/), { nil: null }),
);

test('rows as text are the rows as cells, whatever is in them and wherever a piece ends', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), fc.integer({ min: 0, max: 5 }), (rows, offset) => {
      const [cells, texts] = [new CellRows(selected, true), new TextRows(selected)];
      cells.begin(areBytes);
      texts.begin(areBytes);
      const pieces: Buffer[] = [];
      for (const [at, [text, bytes, number]] of rows.entries()) {
        const packet = packetOf([
          text === null ? null : Buffer.from(text),
          bytes === null ? null : Buffer.from(bytes),
          number === null ? null : Buffer.from(number),
        ]);
        // Where it lies among others, and behind which it is somebody else's.
        const within = Buffer.concat([Buffer.alloc(offset, 0xff), packet, Buffer.alloc(3, 0xfb)]);
        const sum = cells.add(within, offset);
        expect(texts.add(within, offset, offset + packet.length)).toBe(sum);
        within.fill(0);
        if (at % 7 === 6) pieces.push(...texts.take());
      }
      pieces.push(...texts.take());
      const expected = cells.take();
      // Whole rows are in each piece.
      expect(pieces.flatMap((piece) => new RowTextReader(3).read(piece))).toEqual(expected);
      const last = pieces.at(-1);
      expect(last === undefined ? undefined : lastRowOf(last, 3)).toEqual(expected.at(-1));
    }),
    { seed, numRuns: 200 },
  );
});

test('the last row of a text is found where it is all of it, and one empty value', () => {
  for (const rows of [['\n'], ['a\n', '\n'], ['\n', '\n']])
    expect(lastRowOf(Buffer.from(rows.join('')), 1)).toEqual(['']);
});

test('a document that comes as an empty text is told, and not read as one', () => {
  const cells = new CellRows([plain, { ...plain, empty: 'document' }], false);
  cells.begin([false, false]);
  cells.add(packetOf([Buffer.from(''), Buffer.from('{}')]), 0);
  expect(cells.unread).toBeNull();
  cells.add(packetOf([Buffer.from('1'), Buffer.from('')]), 0);
  expect(cells.unread).toEqual({ column: 1, why: 'document' });
});

describe('a value whose text is that of another one', () => {
  const bothOf = (...of: readonly SelectedValue[]) => {
    const sinks = [new CellRows(of, true), new TextRows(of)] as const;
    for (const sink of sinks) sink.begin(of.map(() => false));
    const add = (...values: readonly (Buffer | string)[]): void => {
      const packet = packetOf(values.map((value) => Buffer.from(value as Buffer)));
      for (const sink of sinks) {
        sink.add(packet, 0, packet.length);
        sink.take();
      }
    };
    return { add, unread: () => sinks.map(({ unread }) => unread) };
  };

  test.each([
    ["enum('a') collate utf8mb4_bin", 'a', 'enum'],
    ["enum('a','') collate utf8mb4_bin", '=', 'enum'],
    ["set('a','') collate utf8mb4_bin", '=', 'set'],
  ])('%s', (type, told, why) => {
    const { add, unread } = bothOf(plain, selectValue('c', type));
    add('', told);
    expect(unread()).toEqual([null, null]);
    add('', '');
    expect(unread()).toEqual([
      { column: 1, why },
      { column: 1, why },
    ]);
  });

  test('a set of no member, and whatever a set without an empty member is, is its text', () => {
    const { add, unread } = bothOf(selectValue('c', "set('a','b') collate utf8mb4_bin"));
    add('');
    expect(unread()).toEqual([null, null]);
  });

  test('is told as a text that no value has where it is only looked at', () => {
    const of = [selectValue('c', "set('long','') collate utf8mb4_bin")];
    const cells = new CellRows(of, false);
    cells.begin([false]);
    for (const shown of ['', '=', '=long,']) cells.add(packetOf([Buffer.from(shown)]), 0);
    expect(cells.unread).toBeNull();
    expect(cells.take()).toEqual([['xxxxxx'], [''], ['long,']]);
  });
});

const noText = [Buffer.from([0xff]), Buffer.from('a\xe4', 'latin1'), Buffer.from([0xed, 0xa0, 0x80])];

test.each(noText)(
  'a value that is no UTF-8 ends the rows where it comes, with its column, as text and as cells',
  async (value) => {
    const table = { schema: 's', name: 't' };
    const columns = ['id', 'v', 'w'].map((name) => ({
      name,
      type: name === 'id' ? 'int' : 'varchar(40) collate utf8mb4_bin',
    }));
    for (const read of [readRows, readRowText]) {
      const server = new Server();
      const reading = read(server.session, { table, columns }, Number.POSITIVE_INFINITY);
      const first = reading.next();
      server.command.emit('fields', [{ characterSet: 63 }, { characterSet: 45 }, { characterSet: 45 }]);
      // What stands for such a value may be one itself.
      const good = [Buffer.from('1'), Buffer.from('\ufffd\t\n'), null];
      for (let n = 0; n < 5_000; n++) server.row(good);
      expect((await first).value?.bytes).toBeGreaterThan(20_000);
      const second = reading.next();
      server.row(good);
      server.row([Buffer.from('2'), Buffer.from('ä'), Buffer.concat([Buffer.from('x\n'), value])]);
      server.row([Buffer.from('3'), value, null]);
      server.end();
      const error = await second.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UnreadTextError);
      expect((error as UnreadTextError).at('r', 'p')).toMatchObject({
        code: 'TL-3307',
        recovery: 'halt',
        place: { route: 'r', table: 's.t', column: 'w', position: 'p' },
      });
    }
  },
);

/** What of mysql2 takes part: a connection that holds packets back while it is paused, as that does. */
class Server extends EventEmitter {
  readonly command = Object.assign(new EventEmitter(), {
    row: (_: unknown): unknown => null,
  });
  readonly #waiting: (() => void)[] = [];
  paused = false;
  /** Rows that have come to whoever asked. */
  come = 0;

  get session(): MysqlSession {
    const connection = Object.assign(this, { query: () => this.command });
    return { connection, socket: new EventEmitter(), onClose: () => () => {} } as unknown as MysqlSession;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (!this.paused) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }

  #give(packet: () => void): void {
    if (this.paused) this.#waiting.push(packet);
    else packet();
  }

  rows(count: number, bytes: number): void {
    for (let at = 0; at < count; at++) this.row([Buffer.alloc(bytes, 'x')]);
  }

  row(values: readonly (Buffer | null)[]): void {
    const buffer = packetOf(values);
    this.#give(() => {
      this.come++;
      this.command.row({ buffer, offset: 0, end: buffer.length, isEOF: () => false });
    });
  }

  end(): void {
    this.#give(() => {
      this.command.row({ isEOF: () => true });
      this.command.emit('end');
    });
  }
}

const asked = (server: Server, { isUnbounded = false, maxRowBytes = Number.POSITIVE_INFINITY } = {}) =>
  arrivingRows(server.session, { sql: '', values: [], sink: new CellRows([plain], true), maxRowBytes, isUnbounded });

test.each([
  ['two more batches are', false, 30],
  ['nothing of values that may be large is', true, 10],
])('%s read while one is looked at', async (_, isUnbounded, come) => {
  const server = new Server();
  const reading = asked(server, { isUnbounded });
  const first = reading.next();
  server.rows(55, 100_000);
  server.end();
  const found = [(await first).value];
  expect([server.come, server.paused]).toEqual([come, true]);
  for await (const batch of reading) found.push(batch);
  expect(found.map((batch) => batch?.rows)).toEqual([10, 10, 10, 10, 10, 5]);
  expect(found.map((batch) => batch?.taken.length)).toEqual([10, 10, 10, 10, 10, 5]);
});

test('a row that is too long, an error and a lost connection end the rows where they come', async () => {
  const long = new Server();
  const tooLong = asked(long, { maxRowBytes: 10 }).next();
  long.rows(1, 11);
  await expect(tooLong).rejects.toThrow(LongRowError);
  const refused = new Server();
  const reading = asked(refused).next();
  refused.rows(1, 1);
  refused.command.emit('error', new Error('refused'));
  await expect(reading).rejects.toThrow('refused');
  const lost = new Server();
  const waiting = asked(lost).next();
  lost.emit('error', new Error('lost'));
  await expect(waiting).rejects.toThrow('lost');
});

test('whoever leaves early lets what still comes pass', async () => {
  const server = new Server();
  const reading = asked(server);
  const first = reading.next();
  server.rows(50, 100_000);
  server.end();
  await first;
  await reading.return();
  expect(server.paused).toBe(false);
});
