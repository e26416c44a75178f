import type { Workload } from '../workload.ts';

const kinds = ['int', 'bigint', 'numeric(12, 2)', 'text', 'timestamptz', 'boolean'] as const;
const values: Record<(typeof kinds)[number], string> = {
  int: 'i * 7 % 100000',
  bigint: 'i::bigint * 1000003',
  'numeric(12, 2)': '(i % 1000000) / 100.0',
  text: `'text ' || i % 1000`,
  timestamptz: `'2026-01-01'::timestamptz + i % 100000 * interval '1 s'`,
  boolean: 'i % 3 = 0',
};
const columns = Array.from({ length: 59 }, (_, at) => kinds[at % kinds.length] ?? 'int');

export const wideRows: Workload = {
  name: 'D',
  title: 'wide rows: 60 columns (60,000 inserts, 30,000 updates), and jsonb of 50 kB (4,000 rows)',
  must: 1,
  aim: 1.2,
  mostBytes: null,
  tables: `
    CREATE TABLE wide (id bigint PRIMARY KEY, ${columns.map((type, at) => `c${at} ${type}`).join(', ')});
    CREATE TABLE document (id bigint PRIMARY KEY, body jsonb);`,
  async prepare(source) {
    await source.query(`
      CREATE SEQUENCE wide_id; CREATE SEQUENCE document_id;
      CREATE SCHEMA bench;
      CREATE TABLE bench.words AS SELECT i, jsonb_object_agg('key' || j, md5((i * j)::text)) AS body
        FROM generate_series(1, 20) i, generate_series(1, 1100) j GROUP BY i;`);
  },
  async write(source, scale) {
    const wide = Math.round(60_000 * scale);
    const updated = Math.round(30_000 * scale);
    const documents = Math.round(4_000 * scale);
    await source.query(
      `INSERT INTO wide SELECT nextval('wide_id'), ${columns.map((type) => values[type]).join(', ')} FROM generate_series(1, ${wide}) i`,
    );
    await source.query(
      `UPDATE wide SET c0 = c0 + 1, c3 = 'changed ' || id WHERE id > (SELECT last_value FROM wide_id) - ${updated}`,
    );
    await source.query(
      `INSERT INTO document SELECT nextval('document_id'), body FROM generate_series(1, ${documents}) n JOIN bench.words ON words.i = n % 20 + 1`,
    );
    return wide + updated + documents;
  },
};
