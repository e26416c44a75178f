import { test } from 'vitest';
import { startMysql } from '../../support/mysql.ts';
import { comparePair } from './compare-pair.ts';

// The other pairs: test/full/mysql-compare.test.ts.
test('from mariadb to mysql, beside a writer, each mutation of the target is found, mended, taken back and mended again', {
  timeout: 120_000,
}, async () => {
  const [source, target] = await Promise.all([startMysql({ vendor: 'mariadb' }), startMysql({ vendor: 'mysql' })]);
  await using _source = source;
  await using _target = target;
  await comparePair(source, target);
});
