import '../../src/expression/load-parser.ts';
import { expect, test } from 'vitest';
import { typeFits } from '../../connectors/mysql/target/type-fit.ts';
import { configuredExpression } from '../../src/config/configured-expression.ts';
import type { Cell } from '../../src/core/cell.ts';
import { readsAlike } from '../../src/pipeline/retyped-values.ts';

const collated = (type: string): string => `${type} collate utf8mb4_bin`;
const wholes = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'].flatMap((name) => [name, `${name} unsigned`]);
const texts = ['char(4)', 'varchar(4)', 'varchar(8)', 'tinytext', 'text', 'longtext'].map(collated);
const members = ["enum('ab','b')", "enum('c','b','ab')", "set('ab','b')", "set('ab','x','b')"].map(collated);
const decimals = ['decimal(5,2)', 'decimal(9,2)', 'decimal(9,2) unsigned', 'decimal(9,3)', 'decimal(9,0)'];
const bytes = ['binary(2)', 'varbinary(2)', 'varbinary(9)', 'blob', 'longblob'];
const others = ['float', 'double', 'year', 'date', 'time', 'datetime', 'datetime(3)', 'timestamp', 'bit(3)', 'json'];
const all = [...wholes, ...texts, ...members, ...decimals, ...bytes, ...others];

/** Values that columns of either type have, as the binlog tells them. */
const values: Readonly<Record<string, readonly Cell[]>> = {
  whole: ['0', '1', '7', '100'],
  text: ['', 'ab', 'b'],
  decimal: ['0.00', '1.50', '12.25'],
  bytes: [Buffer.from('0a00', 'hex')],
};

const conditions: Readonly<Record<string, readonly string[]>> = {
  whole: [
    'c > 5',
    'c / 2 = 3',
    'c % 3 = 1',
    'c / 2.0 = 3.5',
    "c::text = '7'",
    'c * 2 <> 14',
    '-c < 0',
    'c IN (1, 100)',
  ],
  text: ["c = 'ab'", 'length(c) = 2', "c || 'x' = 'bx'", "c LIKE 'a%'", "upper(c) < 'B'", 'c IS NULL'],
  decimal: ['c > 1.5', 'c / 3 > 0.5', "c::text = '1.50'", 'c * 2 = 3', 'round(c) = 2'],
  bytes: ["c = '\\x0a00'", 'length(c) = 2', "encode(c, 'hex') = '0a00'"],
};

/** What the expression makes of the value of a column of this type; what it says where it can't be bound or has none. */
function made(text: string, type: string, value: Cell): unknown {
  try {
    const columns = [{ name: 'c', type, modifier: -1, key: false }];
    const bound = configuredExpression(text).bind({ route: 'r', table: 'shop.item', columns, as: 'value' });
    return bound.evaluate([value]);
  } catch (error) {
    return error;
  }
}

const familyOf = (type: string): string =>
  wholes.includes(type) ? 'whole' : decimals.includes(type) ? 'decimal' : bytes.includes(type) ? 'bytes' : 'text';

test('where a type of MySQL is said to be read as another one, expressions make the same of all values', () => {
  const alike = all.flatMap((was) =>
    all.flatMap((is) =>
      was !== is && typeFits(was, is) && readsAlike(columnOf(was), columnOf(is)) ? [[was, is]] : [],
    ),
  );
  expect(alike.length).toBeGreaterThan(40);
  let compared = 0;
  for (const [was = '', is = ''] of alike)
    for (const text of conditions[familyOf(was)] ?? [])
      for (const value of values[familyOf(was)] ?? []) {
        const before = made(text, was, value);
        // What has no value halted the route when the row came.
        if (before instanceof Error) continue;
        compared++;
        expect(made(text, is, value), `${text} of ${String(value)} as ${was} and as ${is}`).toEqual(before);
      }
  expect(compared).toBeGreaterThan(500);
});

test.for([
  ['int unsigned', 'bigint unsigned'],
  ['bigint', 'int'],
  ['int', 'decimal(12,0)'],
  ['decimal(9,2)', 'decimal(9,3)'],
  ['datetime', 'datetime(3)'],
  ['float', 'double'],
  ['year', 'int'],
  [collated("enum('ab')"), collated('varchar(9)')],
  ['varbinary(9)', collated('varchar(9)')],
  ['pg_catalog.int4', 'bigint'],
] as const)('%s is not said to be read as %s', ([was, is]) => {
  expect(readsAlike(columnOf(was), columnOf(is))).toBe(false);
});

function columnOf(type: string) {
  return { name: 'c', type, modifier: -1, key: false };
}
