import { atOnce, type Workload } from '../workload.ts';

const clients = 8;
const branches = 10;

/** The transaction of TPC-B as pgbench has it, at its scale 10; the history has no key there either. */
export const backlog: Workload = {
  name: 'A',
  title: 'backlog: 40,000 transactions of TPC-B by 8 clients, then one insert of 300,000 rows',
  must: 1.15,
  aim: 1.35,
  mostBytes: null,
  tables: `
    CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
    CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
    CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
    CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
    ALTER TABLE pgbench_history REPLICA IDENTITY FULL;
    CREATE TABLE bulk (id bigint PRIMARY KEY, payload text, at timestamptz);`,
  async prepare(source, scale) {
    const accounts = Math.round(100_000 * branches * scale);
    await source.query(`
      INSERT INTO pgbench_branches SELECT i, 0, '' FROM generate_series(1, ${branches}) i;
      INSERT INTO pgbench_tellers SELECT i, (i - 1) / 10 + 1, 0, '' FROM generate_series(1, ${branches * 10}) i;
      INSERT INTO pgbench_accounts SELECT i, i % ${branches} + 1, 0, '' FROM generate_series(1, ${accounts}) i;
      CREATE SEQUENCE bulk_id;
      CREATE PROCEDURE tpcb(n int) LANGUAGE plpgsql AS $$
        DECLARE a int; t int; b int; d int;
        BEGIN
          FOR i IN 1..n LOOP
            a := 1 + floor(random() * ${accounts}); t := 1 + floor(random() * ${branches * 10});
            b := 1 + floor(random() * ${branches}); d := floor(random() * 10000) - 5000;
            UPDATE public.pgbench_accounts SET abalance = abalance + d WHERE aid = a;
            UPDATE public.pgbench_tellers SET tbalance = tbalance + d WHERE tid = t;
            UPDATE public.pgbench_branches SET bbalance = bbalance + d WHERE bid = b;
            INSERT INTO public.pgbench_history VALUES (t, b, a, d, now(), '');
            COMMIT;
          END LOOP;
        END $$`);
  },
  async write(source, scale) {
    const each = Math.round((40_000 * scale) / clients);
    const rows = Math.round(300_000 * scale);
    await atOnce(
      source,
      Array.from({ length: clients }, () => `CALL tpcb(${each})`),
    );
    await source.query(
      `INSERT INTO bulk SELECT nextval('bulk_id'), md5(i::text) || i, now() FROM generate_series(1, ${rows}) i`,
    );
    return clients * each * 4 + rows;
  },
};
