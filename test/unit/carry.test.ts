import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { typePairs, withTypeMatrix } from '../../src/control/documentation/type-matrix.ts';
import { carry } from '../../src/core/types/carry.ts';
import type { Conversions } from '../../src/core/types/conversions.ts';
import { plainDecimal, roundDecimal } from '../../src/core/types/decimal-text.ts';
import { readArray, withPlainNumbers } from '../../src/core/types/json-text.ts';
import type { LogicalType } from '../../src/core/types/logical-type.ts';
import { isCalendarDate, roundFraction } from '../../src/core/types/time-text.ts';
import { ValueRefused } from '../../src/core/types/value-refused.ts';
import type { ColumnCodec, NativeValue } from '../../src/core/types/vendor-types.ts';
import { isGeometry } from '../../src/core/types/well-known-binary.ts';
import { carryCases, collated, mysql, postgres } from '../support/carry-cases.ts';

/** What becomes of a value; a condition that it does not meet as `!condition`, a pair that is not carried as `refused`. */
function carried(from: ColumnCodec, to: ColumnCodec, value: NativeValue, conversions: Conversions = {}): unknown {
  const carrying = carry(from.type, to.type, conversions);
  if (carrying.kind === 'refused') return 'refused';
  try {
    const canonical = from.toCanonical === null ? value : from.toCanonical(value);
    const made = carrying.step === null ? canonical : carrying.step(canonical);
    return made === null || to.fromCanonical === null ? made : to.fromCanonical(made);
  } catch (error) {
    if (!(error instanceof ValueRefused)) throw error;
    expect(carrying.conditions).toContain(error.condition);
    return `!${error.condition}`;
  }
}

test.each(carryCases)('%s', (_, from, to, value, becomes, conversions) => {
  expect(carried(from, to, value, conversions)).toEqual(becomes);
});

/** All that a route can name. */
const everything: Conversions = {
  ...{ precision: 'round', special: 'toNull', nul: 'remove', charset: 'replace', length: 'truncate', blanks: 'trim' },
  ...{ zeroDate: 'toNull', dateRange: 'toNull', fraction: 'round', json: 'normalize', zone: 'UTC' },
};

describe('of the matrix in docs/types.md', () => {
  const pairs = typePairs().map(({ from, had, has }) => ({ vendor: from, from: had.type, to: has.type }));
  const way = (vendor: string, from: LogicalType, to: LogicalType): string => `${vendor} ${from.kind} to ${to.kind}`;

  /** What `carry` checks of values, what it has converted where that is named, and what it carries only then. */
  function required(): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { vendor, from, to } of pairs) {
      const [plainly, named] = [carry(from, to), carry(from, to, everything)];
      if (plainly.kind === 'carried')
        for (const condition of plainly.conditions) found.add(`${way(vendor, from, to)} refuses ${condition}`);
      else
        found.add(
          `${way(vendor, from, to)} is ${named.kind === 'carried' ? 'carried where that is named' : 'never carried'}`,
        );
      if (named.kind === 'carried' && plainly.kind === 'carried')
        for (const condition of named.converted) found.add(`${way(vendor, from, to)} converts ${condition}`);
    }
    return found;
  }

  /** What the cases show of that: a conversion where the value is refused without it. */
  function shown(): ReadonlySet<string> {
    const found = new Set<string>();
    for (const [, from, to, value, becomes, conversions] of carryCases) {
      const name = way(from.vendor, from.type, to.type);
      const plainly = carried(from, to, value);
      const isCarried = becomes !== 'refused' && !String(becomes).startsWith('!');
      if (plainly === 'refused' && isCarried) found.add(`${name} is carried where that is named`);
      else if (plainly === 'refused' && carry(from.type, to.type, everything).kind === 'refused')
        found.add(`${name} is never carried`);
      const refusal = /^!(.+)$/.exec(String(plainly))?.[1];
      if (refusal === undefined) continue;
      found.add(`${name} refuses ${refusal}`);
      if (conversions !== undefined && isCarried) found.add(`${name} converts ${refusal}`);
    }
    return found;
  }

  /** No type that only MySQL or MariaDB has ends in blanks. */
  const never = /^mysql own to text (?:refuses|converts) blanks$|never carried$/;

  test('each refusal of a value and each conversion has a case', () => {
    const has = shown();
    const lacking = [...required()].filter((one) => !never.test(one) && !has.has(one));
    expect(lacking).toEqual([]);
  });

  test('each word of "convert" is in a case that needs it', () => {
    const used = carryCases.flatMap(([, , , , , conversions]) => Object.keys(conversions ?? {}));
    expect([...new Set(used)].sort()).toEqual(Object.keys(everything).sort());
  });

  // Written down here once more: what is not in it halts before the start.
  test('kinds of types go to these kinds, and to no others', () => {
    const goes = new Map(pairs.map(({ vendor, from }) => [`${vendor} ${from.kind}`, new Set<string>()]));
    for (const { vendor, from, to } of pairs)
      if (carry(from, to, everything).kind === 'carried') goes.get(`${vendor} ${from.kind}`)?.add(to.kind);
    expect(Object.fromEntries([...goes].map(([from, kinds]) => [from, [...kinds].sort().join(' ')]))).toEqual({
      'mysql bits': 'bits boolean text',
      'mysql bytes': 'bytes uuid',
      'mysql date': 'date text timestamp',
      'mysql decimal': 'decimal float integer text',
      'mysql enum': 'enum text',
      'mysql float': 'float text',
      'mysql geometry': 'bytes',
      'mysql integer': 'boolean decimal float integer text',
      'mysql json': 'array json text',
      'mysql own': 'bytes text',
      'mysql set': 'text',
      'mysql text': 'enum integer json text uuid',
      'mysql time': 'text time',
      'mysql timestamp': 'text timestamp',
      'mysql uuid': 'text uuid',
      'postgres array': 'json text',
      'postgres bits': 'bits text',
      'postgres boolean': 'bits integer text',
      'postgres bytes': 'bytes geometry',
      'postgres date': 'date text timestamp',
      'postgres decimal': 'decimal float integer text',
      'postgres enum': 'enum text',
      'postgres float': 'float text',
      'postgres integer': 'decimal float integer text',
      'postgres interval': 'text',
      'postgres json': 'json text',
      'postgres own': 'text',
      'postgres text': 'enum integer json set text uuid',
      'postgres time': 'text time',
      'postgres timestamp': 'text timestamp',
      'postgres uuid': 'bytes text uuid',
    });
  });
});

test('what a conversion makes of values could make one of two keys, and what is checked could not', () => {
  const keyed = (conversions: Conversions): unknown =>
    carry(postgres('text').type, mysql(`varchar(2) ${collated}`).type, conversions);
  expect(keyed({})).toMatchObject({ conditions: ['length'], converted: [], injective: true });
  expect(keyed({ length: 'truncate' })).toMatchObject({ conditions: [], converted: ['length'], injective: false });
});

describe('forms', () => {
  test.each([
    ['1.50', '1.5'],
    ['-0.00', '0'],
    ['1e3', '1000'],
    ['-1.25e-3', '-0.00125'],
    ['12e-1', '1.2'],
    ['00012.0', '12'],
    ['.5', '0.5'],
  ])('%s is %s', (text, plain) => expect(plainDecimal(text)).toBe(plain));

  test.each([
    ['0.005', 2, '0.01'],
    ['-0.004', 2, '0'],
    ['1250', -2, '1300'],
    ['9.99', 1, '10'],
    ['0.5', 0, '1'],
    ['4', -1, '0'],
  ])('%s with %i digits is %s', (text, scale, rounded) => expect(roundDecimal(text, scale)).toBe(rounded));

  test('numbers within texts of a document are not touched', () => {
    expect(withPlainNumbers('{"1.0": "1.50 \\" 2.0", "n": [-0.0, 1E+2]}')).toBe(
      '{"1.0": "1.50 \\" 2.0", "n": [0, 100]}',
    );
  });

  test('arrays are read with their numbers as they are', () => {
    expect(readArray('[1.10, {"a": "]}"}, [null]]')).toEqual([
      { text: '1.10', quoted: false },
      { text: '{"a": "]}"}', quoted: false },
      [null],
    ]);
    for (const wrong of ['1', '[1', '[1,]', '[1] 2', '{}']) expect(() => readArray(wrong)).toThrow(ValueRefused);
  });

  test('dates and fractions', () => {
    expect(['2024-02-29', '2100-02-29', '2000-02-29', '0001-01-01', '2024-04-31'].map(isCalendarDate)).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(roundFraction('09:59:59.996', 2, 'round')).toBe('10:00:00');
    expect(roundFraction('-00:00:59.5', 0, 'round')).toBe('-00:01:00');
    expect(roundFraction('2024-01-01 00:00:00.100400', 3, 'round')).toBe('2024-01-01 00:00:00.1');
  });
});

describe('geometries', () => {
  const at = '000000000000f03f0000000000000040';
  const dot = `0101000000${at}`;
  const line = `0102000000${'02000000'}${at}${at}`;
  const area = `0103000000${'01000000'}${'04000000'}${at.repeat(4)}`;
  const many = (kind: number, ...shapes: string[]): string => `010${kind}000000${le(shapes.length)}${shapes.join('')}`;
  const le = (count: number): string => count.toString(16).padStart(2, '0').padEnd(8, '0');
  const is = (shape: string): boolean => isGeometry(Buffer.from(`e6100000${shape}`, 'hex'));

  test.each([
    ...[dot, line, area, many(4, dot, dot), many(5, line), many(6, area, area)],
    ...[many(7), many(7, dot, many(7, line), many(4, dot))],
  ])('%s', (shape) => {
    expect(is(shape)).toBe(true);
    // Each byte less, and one more.
    for (let length = 0; length < shape.length; length += 2)
      expect(is(shape.slice(0, length)), `${length}`).toBe(false);
    expect(is(`${shape}00`)).toBe(false);
  });

  test('what is none', () => {
    expect(isGeometry(Buffer.alloc(0))).toBe(false);
    // Big-endian, three dimensions, a shape of another kind, more of them than there are bytes.
    expect(is(`0000000001${at}`)).toBe(false);
    expect(is(`01e9030000${at}${at}`)).toBe(false);
    expect(is(many(4, line))).toBe(false);
    expect(is(`0102000000ffffffff${at}`)).toBe(false);
    expect(is(`0104000000ffffffff${dot}`)).toBe(false);
    let deep = many(7);
    for (let level = 0; level < 10_000; level++) deep = `0107000000${le(1)}${deep}`;
    expect(is(deep)).toBe(false);
  });
});

test('docs/types.md has the matrix as "npm run docs" writes it', () => {
  const page = readFileSync(new URL('../../docs/types.md', import.meta.url), 'utf8');
  expect(withTypeMatrix(page)).toBe(page);
});
