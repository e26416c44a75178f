import { expect } from 'vitest';
import type { MysqlServer } from './mysql.ts';
import type { TestDatabase } from './postgres.ts';

/** A pair that a route with all transforms goes between: databases of PostgreSQL, or servers of MySQL or MariaDB with a database `public`. */
export type TransformStage =
  | { readonly family: 'postgres'; readonly source: TestDatabase; readonly target: TestDatabase }
  | { readonly family: 'mysql'; readonly source: MysqlServer; readonly target: MysqlServer };

export interface TransformCase {
  readonly name: string;
  /** Table `public.NAME` at the source, and what stands in the entry of the configuration. */
  readonly source: string;
  readonly entry: string;
  readonly target: string;
  /** What SQL at the source says should be at the target, by target table. */
  readonly expected: Readonly<Record<string, string>>;
  /** The same where MySQL's SQL is another one; null: not for targets of MySQL and MariaDB yet. */
  readonly mysql?: Readonly<Record<string, string>> | null;
  /** Whole old rows are logged. */
  readonly full?: true;
}

export const row = 'id int PRIMARY KEY, n int, region text, note text';

const cases: readonly TransformCase[] = [
  {
    name: 'filtered',
    full: true,
    source: row,
    entry: `where: "region = 'eu' and n is not null"`,
    target: row,
    expected: { filtered: `SELECT * FROM filtered WHERE region = 'eu' AND n IS NOT NULL` },
  },
  {
    name: 'filtered_by_key',
    source: row,
    entry: 'where: "id % 3 <> 0"',
    target: row,
    expected: { filtered_by_key: 'SELECT * FROM filtered_by_key WHERE id % 3 <> 0' },
  },
  {
    name: 'computed',
    source: row,
    entry: `transforms: [{ set: { twice: "n * 2", site: "'north'" } }, { cast: { n: "text" } }, { default: { region: "'none'" } }]\n      columns: { exclude: [note] }`,
    target: 'id int PRIMARY KEY, n text, region text, twice int, site text',
    expected: {
      computed: `SELECT id, n::text, coalesce(region, 'none') AS region, n * 2 AS twice, 'north' AS site FROM computed`,
    },
    mysql: {
      computed: `SELECT id, CAST(n AS CHAR) AS n, coalesce(region, 'none') AS region, n * 2 AS twice, 'north' AS site FROM computed`,
    },
  },
  {
    name: 'tidy',
    source: row,
    entry: `transforms: [{ cleanse: { columns: [note], collapse: true, trim: both, case: upper, nullIf: [""] } }, { mapValues: { columns: [region], values: { eu: Europe, us: America }, otherwise: "keep" } }]`,
    target: row,
    expected: {
      tidy: `SELECT id, n, CASE region WHEN 'eu' THEN 'Europe' WHEN 'us' THEN 'America' ELSE region END,
        nullif(upper(btrim(regexp_replace(note, '\\s+', ' ', 'g'))), '') FROM tidy`,
    },
    mysql: {
      tidy: `SELECT id, n, CASE region WHEN 'eu' THEN 'Europe' WHEN 'us' THEN 'America' ELSE region END AS region,
        NULLIF(UPPER(TRIM(REGEXP_REPLACE(note, ' +', ' '))), '') AS note FROM tidy`,
    },
  },
  {
    name: 'looked_up',
    source: row,
    entry:
      'transforms: [{ lookup: { file: ./regions.csv, key: code, column: region, set: { title: name }, missing: "null" } }]',
    target: `${row}, title text`,
    expected: {
      looked_up: `SELECT t.*, CASE region WHEN 'eu' THEN 'Europe, all of it' WHEN 'us' THEN 'America' END FROM looked_up t`,
    },
  },
  {
    name: 'routed',
    full: true,
    source: row,
    entry: `transforms: [{ route: { rules: [{ when: "region = 'eu'", to: public.routed_eu }, { when: "n > 50", to: public.routed_big }], otherwise: drop } }]`,
    target: '',
    expected: {
      routed_eu: `SELECT * FROM routed WHERE region = 'eu'`,
      routed_big: `SELECT * FROM routed WHERE (region = 'eu') IS NOT TRUE AND n > 50`,
    },
  },
  {
    name: 'divided',
    source: row,
    entry: `transforms: [{ split: { rows: [{ to: public.divided_a, columns: [id, n] }, { to: public.divided_b, set: { label: "region" }, columns: [id, label] }] } }]`,
    target: '',
    expected: { divided_a: 'SELECT id, n FROM divided', divided_b: 'SELECT id, region FROM divided' },
  },
  {
    name: 'quarters',
    source: 'id int PRIMARY KEY, q1 int, q2 int, note text',
    entry:
      'transforms: [{ unpivot: { columns: [q1, q2], name: quarter, value: amount } }]\n      columns: { exclude: [note] }',
    target: 'id int, quarter text, amount int, PRIMARY KEY (id, quarter)',
    expected: {
      quarters: `SELECT id, 'q1' AS quarter, q1 AS amount FROM quarters UNION ALL SELECT id, 'q2', q2 FROM quarters`,
    },
  },
  {
    name: 'keyed',
    source: row,
    entry: `key: [site, id]\n      transforms: [{ set: { site: "'north'" } }]\n      columns: { include: [id, site, n], rename: { n: number } }`,
    target: 'site text, id int, number int, PRIMARY KEY (site, id)',
    expected: { keyed: `SELECT 'north' AS site, id, n FROM keyed` },
  },
  {
    name: 'exited',
    source: row,
    entry: 'transforms: [{ use: { file: ./exits/initials.ts, with: { separator: "-" } } }]',
    target: `${row}, initials text`,
    expected: { exited: `SELECT t.*, left(region, 1) || '-' || n FROM exited t` },
    mysql: { exited: `SELECT t.*, CONCAT(LEFT(region, 1), '-', n) AS initials FROM exited t` },
  },
  {
    name: 'reshaped',
    full: true,
    source: row,
    entry: 'key: [id, copy]\n      transforms: [{ use: ./exits/copies.ts }]',
    target: 'id int, n int, region text, note text, copy int, PRIMARY KEY (id, copy)',
    expected: {
      reshaped: 'SELECT t.*, c FROM reshaped t, generate_series(1, (coalesce(n, 0)) % 3) c',
    },
    mysql: {
      reshaped:
        'SELECT t.*, c FROM reshaped t JOIN (SELECT 1 AS c UNION ALL SELECT 2) copies ON c <= COALESCE(n, 0) % 3',
    },
  },
  {
    name: 'marked',
    source: row,
    entry: 'transforms: [{ softDelete: { column: is_deleted } }]',
    target: `${row}, is_deleted boolean NOT NULL`,
    expected: {
      marked: `SELECT id, n, region, note, false FROM marked UNION ALL SELECT id, n, region, note, true FROM marked_gone g WHERE NOT EXISTS (SELECT FROM marked m WHERE m.id = g.id)`,
    },
    mysql: null,
  },
  {
    name: 'kept',
    source: row,
    entry: 'transforms: [{ keepAll: true }]',
    target: row,
    expected: {
      kept: 'SELECT * FROM kept UNION ALL SELECT id, n, region, note FROM kept_gone g WHERE NOT EXISTS (SELECT FROM kept m WHERE m.id = g.id)',
    },
    mysql: null,
  },
];

const ownColumns: Readonly<Record<string, string>> = {
  divided_a: 'id int PRIMARY KEY, n int',
  divided_b: 'id int PRIMARY KEY, label text',
};

export const exits: Readonly<Record<string, string>> = {
  'regions.csv': 'code,name\neu,"Europe, all of it"\nus,America\n',
  'exits/initials.ts': `export default {
  bind: ({ options }: { options: { separator: string } }) => ({
    reads: ['region', 'n'],
    writes: [{ name: 'initials', type: 'pg_catalog.text' }],
    row: ({ region, n }: Record<string, string | null>) => ({
      initials: region === null || n === null ? null : region.slice(0, 1) + options.separator + n,
    }),
  }),
};
`,
  'exits/copies.ts': `export default {
  bind: () => ({
    reshapes: true,
    key: ['copy'],
    writes: [{ name: 'copy', type: 'pg_catalog.int4' }],
    row: (row: Record<string, string | null>) =>
      Array.from({ length: Number(row.n ?? 0) % 3 }, (_, at) => ({ ...row, copy: String(at + 1) })),
  }),
};
`,
};

export function transformCases({ family }: TransformStage): readonly TransformCase[] {
  if (family === 'postgres') return cases;
  return cases.flatMap((one) => (one.mysql === null ? [] : [{ ...one, expected: one.mysql ?? one.expected }]));
}

/** A key of MySQL has no text of any length. */
function columnsFor({ family }: TransformStage, columns: string): string {
  return family === 'postgres' ? columns : columns.replaceAll(/\btext\b/g, 'varchar(200)');
}

async function run({ family }: TransformStage, end: TestDatabase | MysqlServer, sql: string): Promise<void> {
  await end.query(family === 'mysql' ? `USE public; ${sql}` : sql);
}

/** Makes the tables of all cases; what stands in the configuration under `tables`. */
export async function makeTables(stage: TransformStage): Promise<string> {
  const { family, source, target } = stage;
  if (family === 'mysql') for (const server of [source, target]) await server.query('CREATE DATABASE public');
  const entries: string[] = [];
  for (const { name, source: columns, entry, target: theirs, expected, full } of transformCases(stage)) {
    const whole = full && family === 'postgres' ? `ALTER TABLE ${name} REPLICA IDENTITY FULL` : '';
    await run(stage, source, `CREATE TABLE ${name} (${columnsFor(stage, columns)}); ${whole}`);
    for (const table of theirs === '' ? Object.keys(expected) : [name])
      await run(stage, target, `CREATE TABLE ${table} (${columnsFor(stage, theirs || (ownColumns[table] ?? row))})`);
    entries.push(`  - name: public.${name}\n    ${entry.replaceAll('\n      ', '\n    ')}`);
  }
  return entries.join('\n');
}

/** Rows come, change, change their keys and go; in SQL that both know. */
export async function work(stage: TransformStage, round: number): Promise<void> {
  const regions = ["'eu'", "'us'", "'xx'", 'NULL'];
  const from = round * 20;
  const ids = Array.from({ length: 20 }, (_, at) => from + at + 1);
  for (const { name } of transformCases(stage)) {
    const isQuarters = name === 'quarters';
    const columns = isQuarters ? '(id, q1, q2, note)' : '(id, n, region, note)';
    const [second, fourth] = isQuarters ? ['q1', 'q2'] : ['n', 'region'];
    const other = isQuarters
      ? `${fourth} + 1`
      : "CASE id % 4 WHEN 0 THEN 'us' WHEN 1 THEN 'eu' WHEN 2 THEN NULL ELSE 'zz' END";
    const rows = ids.map((id) => {
      const third = isQuarters ? (id * 7) % 100 : regions[(id + round) % 4];
      return `(${id}, ${id % 90 === 5 ? 'NULL' : id % 90}, ${third}, '  some  note ${id}')`;
    });
    const again = [1, 2, 3, 4, 5, 6].map(
      (id) =>
        `INSERT INTO ${name} ${columns} SELECT ${id}, 1, ${isQuarters ? '2' : "'eu'"}, 'again' FROM (SELECT 1 AS one) o WHERE NOT EXISTS (SELECT 1 FROM ${name} t WHERE t.id = ${id});`,
    );
    await run(
      stage,
      stage.source,
      `INSERT INTO ${name} ${columns} VALUES ${rows.join(', ')};
      UPDATE ${name} SET ${second} = ${second} + 1 WHERE id % 4 = ${round % 4};
      UPDATE ${name} SET ${fourth} = ${other} WHERE id % 5 = ${round % 5};
      UPDATE ${name} SET id = id + 1000 WHERE id % 7 = 3 AND id BETWEEN ${from} AND ${from + 20};
      DELETE FROM ${name} WHERE id % 6 = ${round % 6};
      ${again.join('\n      ')}`,
    );
  }
}

/** Each table of the target is what SQL says of the source. */
export async function expectAsSql(stage: TransformStage): Promise<void> {
  for (const { expected } of transformCases(stage))
    for (const [table, sql] of Object.entries(expected)) {
      const mine = await rowsOf(stage, stage.source, sql);
      expect({ table, rows: await rowsOf(stage, stage.target, `SELECT * FROM ${table}`) }).toEqual({
        table,
        rows: mine,
      });
    }
}

async function rowsOf(
  { family }: TransformStage,
  end: TestDatabase | MysqlServer,
  sql: string,
): Promise<readonly string[]> {
  if (family === 'postgres') {
    const rows = await end.query(`SELECT x::text AS row FROM (${sql}) x ORDER BY 1`);
    return rows.map(({ row: text }) => String(text));
  }
  const rows = await end.query(`SELECT * FROM (${sql.replaceAll(/(?<=\b(?:FROM|JOIN) )(?=[a-z])/g, 'public.')}) x`);
  return rows.map((one) => JSON.stringify(Object.values(one))).sort();
}
