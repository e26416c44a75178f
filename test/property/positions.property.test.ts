import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binlogOrder, compareFiles } from '../../connectors/mysql/source/position/binlog-position.ts';
import { GtidSet } from '../../connectors/mysql/source/position/gtid-set.ts';
import { MariadbGtids } from '../../connectors/mysql/source/position/mariadb-gtids.ts';
import { formatLsn, lsnOrder, parseLsn } from '../../connectors/postgres/lsn.ts';
import type { Position } from '../../src/core/position.ts';
import { gtidModels, gtidSources, gtidText } from '../support/gtid-models.ts';
import { seed } from '../support/seed.ts';

const order = (a: string, b: string): boolean => binlogOrder.covers(a as Position, b as Position);
const check = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void, numRuns = 300): void =>
  fc.assert(fc.property(arbitrary, holds), { seed, numRuns });

/** What a dump of GTIDs says, read as the server reads it. */
function decoded(bytes: Buffer): Set<string> {
  let at = 0;
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (): bigint => take(8).readBigUInt64LE();
  const head = number();
  const tagged = head >> 56n === 1n;
  const found = new Set<string>();
  for (let left = tagged ? (head >> 8n) & 0xff_ff_ff_ff_ffn : head; left > 0n; left--) {
    const uuid = take(16)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    const tag = tagged ? take(take(1).readUInt8() / 2).toString('latin1') : '';
    for (let intervals = number(); intervals > 0n; intervals--) {
      const [first, end] = [number(), number()];
      for (let one = first; one < end; one++) found.add(`${uuid}${tag && `:${tag}`}#${one}`);
    }
  }
  expect(at).toBe(bytes.length);
  return found;
}

test('a set of GTIDs holds what was added and not removed, whatever its order, and is the same by its text', () => {
  const step = fc.record({
    source: fc.constantFrom(...gtidSources),
    number: fc.integer({ min: 1, max: 12 }),
    adds: fc.oneof({ arbitrary: fc.constant(true), weight: 3 }, fc.constant(false)),
  });
  check(fc.array(step, { maxLength: 60 }), (steps) => {
    const set = new GtidSet();
    const model = new Set<string>();
    for (const { source, number, adds } of steps) {
      const before = set.copy();
      const text = before.toString();
      if (adds) set.add(source, number);
      else set.remove(source, number);
      if (adds) model.add(`${source}#${number}`);
      else model.delete(`${source}#${number}`);
      expect(before.toString()).toBe(text);
    }
    for (const source of gtidSources)
      for (let number = 0; number <= 13; number++)
        expect(set.has(source, number)).toBe(model.has(`${source}#${number}`));
    expect(set.isEmpty).toBe(model.size === 0);
    expect(set.toString()).toBe(gtidText(model));
    expect(GtidSet.parse(set.toString()).toString()).toBe(set.toString());
    expect(decoded(set.encode())).toEqual(model);
  });
});

const within = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].every((one) => b.has(one));

test('a set of GTIDs covers its subsets and nothing else', () => {
  check(fc.tuple(gtidModels, gtidModels), ([a, b]) => {
    const [one, other] = [a, b].map((model) => GtidSet.parse(gtidText(model))) as [GtidSet, GtidSet];
    expect(one.covers(other)).toBe(within(b, a));
    expect(other.covers(one)).toBe(within(a, b));
    const both = GtidSet.parse(gtidText(new Set([...a, ...b])));
    expect(both.covers(one) && both.covers(other)).toBe(true);
    const [textOfA, textOfB] = [a, b].map((model) => gtidText(model) || 'gtid:none') as [string, string];
    expect(order(textOfA, textOfB)).toBe(within(b, a));
  });
});

test("MariaDB's position covers what is not behind it in any domain", () => {
  const domains = fc.dictionary(fc.constantFrom('0', '1', '4294967295'), fc.integer({ min: 1, max: 4 }));
  const text = (of: Record<string, number>): string =>
    Object.keys(of)
      .sort((a, b) => Number(a) - Number(b))
      .map((domain) => `${domain}-7-${of[domain]}`)
      .join(',');
  check(fc.tuple(domains, domains), ([a, b]) => {
    const covers = Object.entries(b).every(([domain, number]) => (a[domain] ?? 0) >= number);
    expect(MariadbGtids.parse(text(a)).covers(MariadbGtids.parse(text(b)))).toBe(covers);
    expect(order(text(a) || 'mariadb:none', text(b) || 'mariadb:none')).toBe(covers);
    expect(MariadbGtids.parse(text(a)).toString()).toBe(text(a));
  });
});

test('places in files are ordered by number and offset, and those of other servers by nothing', () => {
  const place = fc.record({
    base: fc.constantFrom('binlog', 'host-bin'),
    number: fc.constantFrom(1, 9, 10, 999_999, 1_000_000),
    offset: fc.integer({ min: 4, max: 12 }),
  });
  check(fc.tuple(place, place), ([a, b]) => {
    const text = ({ base, number, offset }: typeof a): string => `${base}.${String(number).padStart(6, '0')}:${offset}`;
    const covers = a.base === b.base && (a.number > b.number || (a.number === b.number && a.offset >= b.offset));
    expect(order(text(a), text(b))).toBe(covers);
    expect(binlogOrder.parse(text(a))).toBe(text(a));
    const [fileA, fileB] = [a, b].map((one) => ({ file: text(one).replace(/:.*/, ''), offset: one.offset }));
    if (fileA && fileB) expect(compareFiles(fileA, fileB) >= 0).toBe(covers);
  });
});

test('positions of two kinds say nothing of each other', () => {
  const texts = ['binlog.000001:4', '0-1-1', '3e11fa47-71ca-11e1-9e33-c80aa9429562:1'];
  for (const a of texts) for (const b of texts) expect(order(a, b)).toBe(a === b);
});

test('WAL addresses are ordered as numbers and are the same by their text', () => {
  const lsn = fc.oneof(
    fc.bigInt(0n, 2n ** 64n - 1n),
    fc.bigInt(0xff_ff_ff_f0n, 0x1_00_00_00_0fn),
    fc.constantFrom(0n, 2n ** 63n, 2n ** 64n - 1n),
  );
  check(fc.tuple(lsn, lsn), ([a, b]) => {
    expect(parseLsn(formatLsn(a))).toBe(a);
    expect(lsnOrder.covers(formatLsn(a), formatLsn(b))).toBe(a >= b);
    expect(lsnOrder.parse(formatLsn(a).toLowerCase())).toBe(formatLsn(a));
  });
});

const notPositions = [
  '',
  '0/',
  '0/123456789',
  'G/1',
  '3e11fa47-71ca-11e1-9e33-c80aa9429562',
  '3e11fa47-71ca-11e1-9e33-c80aa9429562:0',
  '3e11fa47-71ca-11e1-9e33-c80aa9429562:5-4',
  '3e11fa47-71ca-11e1-9e33-c80aa9429562:9007199254740993',
  '3e11fa47-71ca-11e1-9e33-c80aa9429562:Tag-1:1',
  '0-1-2,0-1-3',
  '0-1',
  'binlog.000001',
  'binlog.1:4',
];

test.for(notPositions)('"%s" is no position', (text) => {
  expect(() => binlogOrder.parse(text)).toThrow(expect.objectContaining({ code: 'TL-3001' }));
  expect(() => parseLsn(text)).toThrow(expect.objectContaining({ code: 'TL-3001' }));
});
