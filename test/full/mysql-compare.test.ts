import { test } from 'vitest';
import { comparePair } from '../integration/mysql/compare-pair.ts';
import { twoWayPair } from '../integration/mysql/two-way-pair.ts';
import { startMysql } from '../support/mysql.ts';

test.each([
  ['mysql', 'mysql'],
  ['mysql', 'mariadb'],
  ['mariadb', 'mariadb'],
] as const)(
  'from %s to %s, beside a writer, each mutation of the target is found, mended, taken back and mended again, and in a two-way set-up nothing on its way is overwritten',
  {
    timeout: 240_000,
  },
  async (from, to) => {
    const [source, target] = await Promise.all([startMysql({ vendor: from }), startMysql({ vendor: to })]);
    await using _source = source;
    await using _target = target;
    await comparePair(source, target);
    await twoWayPair(source, target);
  },
);
