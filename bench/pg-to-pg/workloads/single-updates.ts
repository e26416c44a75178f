import { atOnce, type Workload } from '../workload.ts';

const clients = 4;

export const singleUpdates: Workload = {
  name: 'E',
  title: 'backlog of 200,000 single-row updates, uniform over 2 million rows',
  must: 1,
  aim: 1.3,
  mostBytes: null,
  tables: `CREATE TABLE item (id int PRIMARY KEY, value bigint, note text);`,
  async prepare(source, scale) {
    const rows = Math.round(2_000_000 * scale);
    await source.query(`
      INSERT INTO item SELECT i, 0, md5(i::text) FROM generate_series(1, ${rows}) i;
      CREATE PROCEDURE touch(n int) LANGUAGE plpgsql AS $$
        DECLARE chosen int;
        BEGIN
          FOR i IN 1..n LOOP
            -- Within the condition it would be another number for each row of the table, and none that its index knows.
            chosen := 1 + floor(random() * ${rows});
            UPDATE public.item SET value = value + 1 WHERE id = chosen;
            COMMIT;
          END LOOP;
        END $$`);
  },
  async write(source, scale) {
    const each = Math.round((200_000 * scale) / clients);
    await atOnce(
      source,
      Array.from({ length: clients }, () => `CALL touch(${each})`),
    );
    return each * clients;
  },
};
