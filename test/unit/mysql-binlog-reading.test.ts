import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checksumOf } from '../../connectors/mysql/source/binlog/checksum.ts';
import { columnTypes } from '../../connectors/mysql/source/binlog/column-types.ts';
import { type BinlogEvent, headerBytes } from '../../connectors/mysql/source/binlog/event-framer.ts';
import { eventTypes, ignorableFlag } from '../../connectors/mysql/source/binlog/event-types.ts';
import { readMariadbGtid } from '../../connectors/mysql/source/binlog/mariadb-gtid-event.ts';
import { isBegin, readQuery } from '../../connectors/mysql/source/binlog/query-event.ts';
import { makeRowPlan, nothingUnlogged } from '../../connectors/mysql/source/binlog/row-plan.ts';
import { RowReader } from '../../connectors/mysql/source/binlog/row-reader.ts';
import type { MappedColumn } from '../../connectors/mysql/source/binlog/table-map.ts';
import type { Collation, Collations } from '../../connectors/mysql/source/binlog/values/charsets.ts';
import { decodeUtf8 } from '../../connectors/mysql/source/binlog/values/text-decoder.ts';
import { parsePosition } from '../../connectors/mysql/source/position/binlog-position.ts';
import { GtidSet } from '../../connectors/mysql/source/position/gtid-set.ts';
import { type AssemblerOptions, TransactionAssembler } from '../../connectors/mysql/source/transaction-assembler.ts';
import type { Position } from '../../src/core/position.ts';
import { randomNumbers } from '../support/seed.ts';

const utf8 = { name: 'utf8mb4_bin', charset: 'utf8mb4', maxBytes: 4, decode: decodeUtf8 };
const binary = { name: 'binary', charset: 'binary', maxBytes: 1, decode: null };
const collations: Collations = new Map<number, Collation>([
  [46, utf8],
  [63, binary],
]);

interface Kind {
  readonly column: Pick<MappedColumn, 'type' | 'metadata'> & Partial<MappedColumn>;
  value(random: () => number): Buffer;
}

const bytes = (random: () => number, count: number, most = 256): Buffer =>
  Buffer.from(Array.from({ length: count }, () => Math.floor(random() * most)));

function prefixed(width: number, value: Buffer): Buffer {
  const head = Buffer.alloc(width);
  head.writeUIntLE(value.length, 0, width);
  return Buffer.concat([head, value]);
}

const texts = [
  '',
  'a',
  'abcdefg',
  'ü',
  'some text of more than a few characters',
  'ÄÖÜ and more of it',
  'x'.repeat(300),
];
const text = (random: () => number): Buffer => Buffer.from(texts[Math.floor(random() * texts.length)] ?? '');
const number = (type: number, width: number, unsigned: boolean): Kind => ({
  column: { type, metadata: 0, unsigned },
  value: (random) => bytes(random, width),
});

const kinds: readonly Kind[] = [
  ...[true, false].flatMap((unsigned) => [
    number(columnTypes.tiny, 1, unsigned),
    number(columnTypes.short, 2, unsigned),
    number(columnTypes.int24, 3, unsigned),
    number(columnTypes.long, 4, unsigned),
    number(columnTypes.longLong, 8, unsigned),
  ]),
  {
    column: { type: columnTypes.varchar, metadata: 1_000, collation: 46 },
    value: (random) => prefixed(2, text(random)),
  },
  {
    column: { type: columnTypes.varchar, metadata: 20, collation: 46 },
    value: () => prefixed(1, Buffer.from('short')),
  },
  { column: { type: columnTypes.blob, metadata: 2, collation: 63 }, value: (random) => prefixed(2, bytes(random, 30)) },
  { column: { type: columnTypes.blob, metadata: 3, collation: 46 }, value: (random) => prefixed(3, text(random)) },
  {
    column: { type: columnTypes.newDecimal, metadata: 5 + (2 << 8), unsigned: false },
    value: () => Buffer.from([0x80, 9, 3]),
  },
  { column: { type: columnTypes.dateTime2, metadata: 6 }, value: (random) => bytes(random, 8, 90) },
  { column: { type: columnTypes.timestamp2, metadata: 3 }, value: (random) => bytes(random, 6, 90) },
  { column: { type: columnTypes.time2, metadata: 0 }, value: (random) => bytes(random, 3) },
  { column: { type: columnTypes.date, metadata: 0 }, value: (random) => bytes(random, 3) },
  { column: { type: columnTypes.year, metadata: 0 }, value: (random) => bytes(random, 1) },
];

test('an update reads as its two images do, each by itself, whatever it has changed', () => {
  const random = randomNumbers(7);
  const reader = new RowReader();
  let shared = 0;
  for (let round = 0; round < 400; round++) {
    const chosen = Array.from(
      { length: 1 + Math.floor(random() * 20) },
      () => kinds[Math.floor(random() * kinds.length)],
    );
    const columns = chosen.map(
      (kind, i): MappedColumn => ({
        ...{
          nullable: true,
          name: `c${i}`,
          unsigned: null,
          collation: null,
          members: null,
          key: i === 0,
          visible: true,
        },
        ...(kind?.column as Kind['column']),
      }),
    );
    const generated = new Set(columns.filter(() => random() < 0.1).map(({ name }) => name ?? ''));
    const plan = makeRowPlan({ schema: 's', name: 't', columns }, collations, { ...nothingUnlogged, generated });
    const old = chosen.map((kind) => (random() < 0.2 ? null : (kind?.value(random) ?? null)));
    const after = chosen.map((kind, i) =>
      random() < 0.6 ? (old[i] ?? null) : random() < 0.3 ? null : (kind?.value(random) ?? null),
    );
    const image = (values: readonly (Buffer | null)[]): Buffer => {
      const nulls = Buffer.alloc((values.length + 7) >> 3);
      for (const [i, value] of values.entries())
        if (value === null) nulls[i >> 3] = (nulls[i >> 3] ?? 0) | (1 << (i & 7));
      return Buffer.concat([nulls, ...values.filter((value) => value !== null)]);
    };
    const [first, second] = [image(old), image(after)];
    // Something lies in front of an event, and behind it.
    const event = Buffer.concat([Buffer.from('front'), first, second, Buffer.from('behind')]);
    const alone = (part: Buffer) => {
      reader.open(part, 0, part.length);
      return reader.image(plan);
    };
    const expected = [alone(first), alone(second)];
    reader.open(event, 5, event.length - 6);
    const before = reader.image(plan);
    const now = reader.newImage(plan, before, null);
    expect([before, now]).toEqual(expected);
    expect(reader.left).toBe(0);
    reader.close();
    for (const [i, cell] of now.entries()) if (Buffer.isBuffer(cell) && cell === before[i]) shared++;
    for (const cut of [1, Math.ceil(second.length / 2), second.length]) {
      reader.open(event, 5, event.length - 6 - cut);
      expect(() => reader.newImage(plan, reader.image(plan), null)).toThrow(RangeError);
    }
  }
  expect(shared).toBeGreaterThan(10);
});

test('a checksum is what zlib makes of the same bytes', () => {
  const random = randomNumbers(3);
  const all = bytes(random, 2_000);
  for (let length = 0; length < 600; length++) {
    const start = Math.floor(random() * 1_000);
    expect(checksumOf(all, start, start + length)).toBe(crc32(all.subarray(start, start + length)));
  }
});

test('a set of GTIDs is written as one that was made anew, in whatever order its numbers came', () => {
  const random = randomNumbers(11);
  const sources = [
    '3e11fa47-71ca-11e1-9e33-c80aa9429562',
    '3e11fa47-71ca-11e1-9e33-c80aa9429562:blue',
    'ffffffff-71ca-11e1-9e33-c80aa9429562',
  ];
  for (let round = 0; round < 10; round++) {
    const set = new GtidSet();
    const model = new Map(sources.map((source) => [source, new Set<number>()]));
    let next = 1;
    for (let step = 0; step < 120; step++) {
      const source = sources[random() < 0.7 ? 0 : Math.floor(random() * 3)] ?? '';
      const number = random() < 0.8 ? next++ : 1 + Math.floor(random() * (next + 3));
      if (random() < 0.9) {
        set.add(source, number);
        model.get(source)?.add(number);
      } else {
        set.remove(source, number);
        model.get(source)?.delete(number);
      }
      const anew = new GtidSet();
      for (const [of, numbers] of model) for (const one of [...numbers].sort((a, b) => a - b)) anew.add(of, one);
      const fresh = anew.isEmpty ? '' : GtidSet.parse(anew.toString()).toString();
      expect(set.toString()).toBe(fresh);
      if (step === 60) expect(set.copy().toString()).toBe(fresh);
      for (const of of sources) expect(set.has(of, number)).toBe(model.get(of)?.has(number));
    }
    const copy = set.copy();
    const before = set.toString();
    const highest = Math.max(0, ...(model.get(sources[0] ?? '') ?? []));
    copy.add(sources[0] ?? '', highest + 1);
    copy.add(sources[0] ?? '', highest + 2);
    expect(set.toString()).toBe(before);
  }
});

test('only a statement that is BEGIN and nothing else is taken for one', () => {
  const query = (sql: string, database = 'd', status = Buffer.alloc(5)): Buffer => {
    const head = Buffer.alloc(13);
    head[8] = database.length;
    head.writeUInt16LE(status.length, 11);
    return Buffer.concat([head, status, Buffer.from(`${database}\0${sql}`)]);
  };
  const event = (body: Buffer) => ({
    ...{ type: 2, timestamp: 0, serverId: 1, flags: 0, nextOffset: 0, size: 0 },
    ...{ bytes: Buffer.concat([Buffer.from('xx'), body, Buffer.from('yy')]), start: 2, end: 2 + body.length },
  });
  for (const sql of ['BEGIN', 'XA BEGIN', 'begin', 'BEGIN ', 'COMMIT', '', '/**/BEGIN']) {
    const one = event(query(sql));
    expect(readQuery(one).text, sql).toBe(sql);
    expect(isBegin(one), sql).toBe(sql === 'BEGIN');
  }
  expect(isBegin(event(query('BEGIN', '')))).toBe(true);
  // The word stands in the status, or in the name of the database.
  expect(isBegin(event(query('', 'BEGIN')))).toBe(false);
  expect(isBegin(event(Buffer.from('BEGIN')))).toBe(false);
});

describe('a column that looks like a hash of a unique key', () => {
  const column = (name: string): MappedColumn => ({
    ...{ type: columnTypes.longLong, metadata: 0, nullable: true, collation: null, members: null },
    ...{ name, unsigned: true, key: false, visible: true },
  });
  const travelling = (names: readonly string[], defined: readonly string[] | null) => {
    const facts = { ...nothingUnlogged, defined: defined && new Set(defined) };
    const plan = makeRowPlan({ schema: 's', name: 't', columns: names.map(column) }, collations, facts);
    const reader = new RowReader();
    const row = Buffer.alloc(1 + 8 * names.length);
    for (const [at] of names.entries()) row[1 + 8 * at] = at;
    reader.open(row, 0, row.length);
    const cells = reader.image(plan);
    return plan.table.columns.map(({ name }, at) => `${name}=${String(cells[at])}`).join(' ');
  };

  test.for([
    [['a', 'DB_ROW_HASH_1'], ['a'], 'a=0'],
    [['a', 'DB_ROW_HASH_1', 'DB_ROW_HASH_2'], ['a'], 'a=0'],
    // Somebody has named a column so, or another stands behind it.
    [['a', 'DB_ROW_HASH_1'], ['a', 'DB_ROW_HASH_1'], 'a=0 DB_ROW_HASH_1=1'],
    [['DB_ROW_HASH_1', 'a'], ['a'], 'DB_ROW_HASH_1=0 a=1'],
    [['a', 'DB_ROW_HASH_1'], null, 'a=0 DB_ROW_HASH_1=1'],
  ] as const)('%s of a table with %s', ([names, defined, expected]) => {
    expect(travelling(names, defined)).toBe(expected);
  });
});

test.for([
  ['an incident, behind which changes are missing', eventTypes.incident, 0, 'TL-3305'],
  ['an event that nobody knows', 250, 0, 'TL-3203'],
  ['one that may be passed over', 250, ignorableFlag, null],
] as const)('the stream meets %s', ([, type, flags, code]) => {
  const event = Buffer.alloc(headerBytes + 8);
  event[4] = type;
  event.writeUInt32LE(event.length, 9);
  event.writeUInt16LE(flags, 17);
  const assembler = new TransactionAssembler({
    ...{ route: 'r', heartbeatId: 'none', forward: 'own', maxRowBytes: 1, maxPayloadBytes: 1, maxPreparedBytes: 1 },
    start: parsePosition('binlog.000003:157' as Position),
    collations,
    checksums: false,
    hold: () => {},
    emit: () => {},
  } as unknown as AssemblerOptions);
  const read = (): void => assembler.event(event, 0, event.length);
  const place = { route: 'r', position: 'binlog.000003:157' };
  if (code === null) expect(read).not.toThrow();
  else expect(read).toThrow(expect.objectContaining({ code, place: expect.objectContaining(place) }));
});

describe('the GTID of an ALTER TABLE of MariaDB', () => {
  /** Number, domain and flags, then what is given, and zeros up to the least length of the event. */
  const read = (flags: number, ...further: readonly number[]) => {
    const head = Buffer.alloc(13);
    head[0] = 7;
    head[12] = flags;
    const body = Buffer.concat([head, Buffer.from(further)]);
    const bytes = Buffer.concat([body, Buffer.alloc(Math.max(0, 19 - body.length))]);
    return readMariadbGtid({ bytes, start: 0, end: bytes.length, serverId: 1 } as BinlogEvent).isAlterWithoutEffect;
  };
  const standalone = 1;
  const groupCommit = [standalone | 2, ...Array.from({ length: 8 }, () => 0xff)] as const;
  const xa = [64, 1, 0, 0, 0, 2, 1, 0xff, 0xff, 0xff] as const;

  test.for([
    ['of an older server', [standalone], false],
    ['of an older server, in a group', [...groupCommit], false],
    ['that begins', [standalone, 2], true],
    ['that begins in a group', [...groupCommit, 2], true],
    ['that has come to nothing', [standalone, 8, 1, 0, 0, 0, 0, 0, 0, 0], true],
    ['that has ended', [standalone, 4, 1, 0, 0, 0, 0, 0, 0, 0], false],
    ['of several engines, that begins', [standalone, 3, 2], true],
    ['of no ALTER TABLE, with an XID', [...xa], false],
    ['of several engines, with an XID', [...xa, 1, 2], false],
  ] as const)('%s', ([, [flags, ...further], expected]) => {
    expect(read(flags ?? 0, ...further)).toBe(expected);
  });

  test('with a flag that is not known halts', () => {
    expect(() => read(standalone, 64)).toThrow(RangeError);
  });
});
