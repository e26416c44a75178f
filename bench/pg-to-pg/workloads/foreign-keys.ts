import { atOnce, type Workload } from '../workload.ts';

const clients = 4;
/** Half of them are parents, each with one table that points to it. */
const tables = 50;
const parents = tables / 2;

export const foreignKeys: Workload = {
  name: 'F',
  title: 'backlog of inserts, updates and deletes over 50 tables with foreign keys: 20,000 transactions of 10 rows',
  must: 1,
  aim: 1.3,
  mostBytes: null,
  tables: Array.from(
    { length: parents },
    (_, at) => `
    CREATE TABLE parent_${at} (id int PRIMARY KEY, name text, changed int NOT NULL DEFAULT 0);
    CREATE TABLE child_${at} (id bigint PRIMARY KEY, parent_id int NOT NULL REFERENCES parent_${at}, amount numeric(12, 2), note text);
    CREATE INDEX ON child_${at} (parent_id);`,
  ).join(''),
  async prepare(source, scale) {
    const rows = Math.max(100, Math.round(10_000 * scale));
    await source.query(`
      CREATE SEQUENCE row_id START 1000000000;
      ${Array.from(
        { length: parents },
        (_, at) => `
        INSERT INTO parent_${at} SELECT i, 'parent ' || i FROM generate_series(1, ${rows}) i;
        INSERT INTO child_${at} SELECT i, 1 + i % ${rows}, i, 'child' FROM generate_series(1, ${rows * 4}) i;`,
      ).join('')}
      CREATE PROCEDURE mixed(n int) LANGUAGE plpgsql AS $$
        DECLARE t int; p int;
        BEGIN
          FOR i IN 1..n LOOP
            t := floor(random() * ${parents});
            p := nextval('public.row_id');
            EXECUTE format('INSERT INTO public.parent_%s VALUES ($1, ''new'')', t) USING p;
            EXECUTE format('INSERT INTO public.child_%s SELECT nextval(''public.row_id''), $1, n, ''new'' FROM generate_series(1, 4) n', t) USING p;
            t := floor(random() * ${parents});
            EXECUTE format('UPDATE public.child_%s SET amount = amount + 1 WHERE id BETWEEN $1 AND $1 + 2', t) USING 1 + floor(random() * ${rows * 2})::int;
            EXECUTE format('UPDATE public.parent_%s SET changed = changed + 1 WHERE id = $1', t) USING 1 + floor(random() * ${rows})::int;
            EXECUTE format('DELETE FROM public.child_%s WHERE id = (SELECT min(id) FROM public.child_%s WHERE id > $1)', t, t) USING ${rows * 2} + floor(random() * ${rows})::int;
            COMMIT;
          END LOOP;
        END $$`);
  },
  async write(source, scale) {
    const each = Math.round((20_000 * scale) / clients);
    await atOnce(
      source,
      Array.from({ length: clients }, () => `CALL mixed(${each})`),
    );
    return each * clients * 10;
  },
};
