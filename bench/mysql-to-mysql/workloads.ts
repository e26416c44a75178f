import type { MysqlServer } from '../../test/support/mysql.ts';
import type { Scale } from '../pg-to-pg/workload.ts';

/** The database that is followed. */
export const followed = 'work';

/** A backlog that is written while nobody follows. */
export interface MysqlWorkload {
  /** A letter, as the command names it. */
  readonly name: string;
  readonly title: string;
  /** Throughput, as a multiple of the peer's: what it has to be, and what it should be. */
  readonly must: number;
  readonly aim: number;
  /** Makes the tables, in the current database. */
  readonly tables: string;
  /** What fills them before anybody follows, and the procedure that `write` calls; one statement each. */
  prepare(scale: Scale): readonly string[];
  /** Writes one round. Returns the number of changed rows. */
  write(source: MysqlServer, scale: Scale): Promise<number>;
}

/** A number for each row, as a table `s (i)`. */
const numbers = (count: number): string =>
  `WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ${count})`;

const deep = 'SET SESSION cte_max_recursion_depth = 100000000';

/** The procedure on so many sessions at once. */
async function atOnce(source: MysqlServer, sessions: number, call: string): Promise<void> {
  await Promise.all(Array.from({ length: sessions }, () => source.query(`USE ${followed}; ${call}`)));
}

const branches = 10;
const writers = 8;

const backlog: MysqlWorkload = {
  name: 'A',
  title: 'backlog: 40,000 transactions of TPC-B by 8 clients, then one insert of 300,000 rows',
  must: 3,
  aim: 3,
  tables: `
    CREATE TABLE branches (bid int PRIMARY KEY, bbalance int, filler char(88));
    CREATE TABLE tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
    CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
    CREATE TABLE history (tid int, bid int, aid int, delta int, mtime datetime(6), filler char(22));
    CREATE TABLE bulk (id bigint AUTO_INCREMENT PRIMARY KEY, payload text, at timestamp(6));`,
  prepare: (scale) => {
    const accounts = Math.round(100_000 * branches * scale);
    return [
      deep,
      `INSERT INTO branches ${numbers(branches)} SELECT i, 0, '' FROM s`,
      `INSERT INTO tellers ${numbers(branches * 10)} SELECT i, (i - 1) DIV 10 + 1, 0, '' FROM s`,
      `INSERT INTO accounts ${numbers(accounts)} SELECT i, i % ${branches} + 1, 0, '' FROM s`,
      `CREATE PROCEDURE tpcb(n int) BEGIN
        DECLARE a, t, b, d, i int DEFAULT 0;
        WHILE i < n DO
          SET a = 1 + FLOOR(RAND() * ${accounts}), t = 1 + FLOOR(RAND() * ${branches * 10}), b = 1 + FLOOR(RAND() * ${branches}), d = FLOOR(RAND() * 10000) - 5000, i = i + 1;
          START TRANSACTION;
          UPDATE accounts SET abalance = abalance + d WHERE aid = a;
          UPDATE tellers SET tbalance = tbalance + d WHERE tid = t;
          UPDATE branches SET bbalance = bbalance + d WHERE bid = b;
          INSERT INTO history (tid, bid, aid, delta, mtime, filler) VALUES (t, b, a, d, NOW(6), '');
          COMMIT;
        END WHILE;
      END`,
    ];
  },
  write: async (source, scale) => {
    const each = Math.round((40_000 * scale) / writers);
    const rows = Math.round(300_000 * scale);
    await atOnce(source, writers, `CALL tpcb(${each})`);
    await source.query(
      `USE ${followed}; ${deep}; INSERT INTO bulk (payload, at) ${numbers(rows)} SELECT CONCAT(SHA2(i, 256), i), NOW(6) FROM s`,
    );
    return writers * each * 4 + rows;
  },
};

const updaters = 4;

const singleUpdates: MysqlWorkload = {
  name: 'E',
  title: 'backlog of 200,000 single-row updates, uniform over 2 million rows',
  must: 2,
  aim: 2,
  tables: 'CREATE TABLE item (id int PRIMARY KEY, value bigint, note text);',
  prepare: (scale) => {
    const rows = Math.round(2_000_000 * scale);
    return [
      deep,
      `INSERT INTO item ${numbers(rows)} SELECT i, 0, SHA2(i, 256) FROM s`,
      `CREATE PROCEDURE touch(n int) BEGIN
        DECLARE chosen, i int DEFAULT 0;
        WHILE i < n DO
          SET chosen = 1 + FLOOR(RAND() * ${rows}), i = i + 1;
          UPDATE item SET value = value + 1 WHERE id = chosen;
        END WHILE;
      END`,
    ];
  },
  write: async (source, scale) => {
    const each = Math.round((200_000 * scale) / updaters);
    await atOnce(source, updaters, `CALL touch(${each})`);
    return each * updaters;
  },
};

export const mysqlWorkloads: readonly MysqlWorkload[] = [backlog, singleUpdates];
