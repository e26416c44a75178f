import type { Workload } from '../workload.ts';

export const oneTransaction: Workload = {
  name: 'B',
  title: 'one transaction of 5 million rows',
  must: 1,
  aim: 1.2,
  mostBytes: 256_000_000,
  tables: `CREATE TABLE large (id bigint PRIMARY KEY, payload text, at timestamptz);`,
  async prepare(source) {
    await source.query('CREATE SEQUENCE large_id');
  },
  async write(source, scale) {
    const rows = Math.round(5_000_000 * scale);
    await source.query(
      `INSERT INTO large SELECT nextval('large_id'), md5(i::text), now() FROM generate_series(1, ${rows}) i`,
    );
    return rows;
  },
  async tidy(source) {
    await source.query('TRUNCATE large');
  },
};
