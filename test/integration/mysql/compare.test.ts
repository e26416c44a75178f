import { afterAll, beforeAll, test } from 'vitest';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { isThorough } from '../../support/thorough.ts';
import { comparePair } from './compare-pair.ts';
import { twoWayPair } from './two-way-pair.ts';

// The other pairs: test/full/mysql-compare.test.ts.
let source: MysqlServer;
let target: MysqlServer;
beforeAll(async () => {
  [source, target] = await Promise.all([startMysql({ vendor: 'mariadb' }), startMysql({ vendor: 'mysql' })]);
}, 120_000);
afterAll(async () => {
  for (const server of [source, target]) await server[Symbol.asyncDispose]();
});

test(
  'from mariadb to mysql, beside a writer, each mutation of the target is found, mended, taken back and mended again',
  {
    timeout: 120_000,
  },
  () => comparePair(source, target),
);

// In `npm test` that is so between PostgreSQL servers (compare/two-way.test.ts).
if (isThorough)
  test(
    'between mariadb and mysql, in a two-way set-up, what is on its way from the repaired side is waited for, and never overwritten',
    {
      timeout: 120_000,
    },
    () => twoWayPair(source, target),
  );
