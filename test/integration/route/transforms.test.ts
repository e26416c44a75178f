import { expect, test } from 'vitest';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';

const servers = twoServers();

interface Case {
  readonly name: string;
  /** Table `public.NAME` at the source, and what stands in the entry of the configuration. */
  readonly source: string;
  readonly entry: string;
  readonly target: string;
  /** What SQL at the source says should be at the target, by target table. */
  readonly expected: Readonly<Record<string, string>>;
  /** Whole old rows are logged. */
  readonly full?: true;
}

const row = 'id int PRIMARY KEY, n int, region text, note text';

const cases: readonly Case[] = [
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
      quarters: `SELECT id, 'q1', q1 FROM quarters UNION ALL SELECT id, 'q2', q2 FROM quarters`,
    },
  },
  {
    name: 'keyed',
    source: row,
    entry: `key: [site, id]\n      transforms: [{ set: { site: "'north'" } }]\n      columns: { include: [id, site, n], rename: { n: number } }`,
    target: 'site text, id int, number int, PRIMARY KEY (site, id)',
    expected: { keyed: `SELECT 'north', id, n FROM keyed` },
  },
  {
    name: 'exited',
    source: row,
    entry: 'transforms: [{ use: { file: ./exits/initials.ts, with: { separator: "-" } } }]',
    target: `${row}, initials text`,
    expected: { exited: `SELECT t.*, left(region, 1) || '-' || n FROM exited t` },
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
  },
  {
    name: 'marked',
    source: row,
    entry: 'transforms: [{ softDelete: { column: is_deleted } }]',
    target: `${row}, is_deleted boolean NOT NULL`,
    expected: {
      marked: `SELECT id, n, region, note, false FROM marked UNION ALL SELECT id, n, region, note, true FROM marked_gone g WHERE NOT EXISTS (SELECT FROM marked m WHERE m.id = g.id)`,
    },
  },
  {
    name: 'kept',
    source: row,
    entry: 'transforms: [{ keepAll: true }]',
    target: row,
    expected: {
      kept: 'SELECT * FROM kept UNION ALL SELECT id, n, region, note FROM kept_gone g WHERE NOT EXISTS (SELECT FROM kept m WHERE m.id = g.id)',
    },
  },
];

const ownColumns: Readonly<Record<string, string>> = {
  divided_a: 'id int PRIMARY KEY, n int',
  divided_b: 'id int PRIMARY KEY, label text',
};

const exits: Readonly<Record<string, string>> = {
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

/** Tables for what rows were when they were deleted, or their key was changed: kept by triggers at the source. */
const gone = (name: string): string => `
  CREATE TABLE ${name}_gone (id int PRIMARY KEY, n int, region text, note text);
  CREATE FUNCTION ${name}_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' OR NEW.id <> OLD.id THEN
      INSERT INTO ${name}_gone VALUES (OLD.*) ON CONFLICT (id) DO UPDATE SET n = OLD.n, region = OLD.region, note = OLD.note;
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER keep AFTER DELETE OR UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION ${name}_keep();`;

async function work(source: TestDatabase, round: number): Promise<void> {
  for (const { name } of cases) {
    const values = name === 'quarters' ? '(id, q1, q2, note)' : '(id, n, region, note)';
    const third = name === 'quarters' ? `(i * 7) % 100` : `(ARRAY['eu', 'us', 'xx', NULL])[1 + (i + ${round}) % 4]`;
    const [second, fourth] = name === 'quarters' ? ['q1', 'q2'] : ['n', 'region'];
    const other = name === 'quarters' ? `(${fourth} + 1)` : `(ARRAY['us', 'eu', NULL, 'zz'])[1 + id % 4]`;
    const from = round * 20;
    await source.query(`
      INSERT INTO ${name} ${values} SELECT i, nullif(i % 90, 5), ${third}, '  some  note ' || i FROM generate_series(${from + 1}, ${from + 20}) i;
      UPDATE ${name} SET ${second} = ${second} + 1 WHERE id % 4 = ${round % 4};
      UPDATE ${name} SET ${fourth} = ${other} WHERE id % 5 = ${round % 5};
      UPDATE ${name} SET id = id + 1000 WHERE id % 7 = 3 AND id BETWEEN ${from} AND ${from + 20};
      DELETE FROM ${name} WHERE id % 6 = ${round % 6};
      INSERT INTO ${name} ${values} SELECT i, 1, ${name === 'quarters' ? '2' : "'eu'"}, 'again' FROM generate_series(1, 6) i ON CONFLICT DO NOTHING;`);
  }
}

test('each transform, through load and stream, is what SQL says of the source', async () => {
  const { source, target } = await servers.pair();
  const entries: string[] = [];
  for (const { name, source: columns, entry, target: theirs, expected, full } of cases) {
    await source.query(`CREATE TABLE ${name} (${columns}); ${full ? `ALTER TABLE ${name} REPLICA IDENTITY FULL` : ''}`);
    for (const table of theirs === '' ? Object.keys(expected) : [name])
      await target.query(`CREATE TABLE ${table} (${theirs || (ownColumns[table] ?? row)})`);
    entries.push(`  - name: public.${name}\n    ${entry.replaceAll('\n      ', '\n    ')}`);
  }
  await work(source, 0);
  // Of what was gone before the load nothing is known at the target.
  for (const name of ['marked', 'kept']) await source.query(gone(name));
  await using file = new RouteFile({ source, target, route: `tables:\n${entries.join('\n')}` });
  file.write(exits);
  const compare = async (): Promise<void> => {
    for (const { expected } of cases)
      for (const [table, sql] of Object.entries(expected)) {
        const mine = await source.query(`SELECT x::text AS row FROM (${sql}) x ORDER BY 1`);
        const theirs = await target.query(`SELECT x::text AS row FROM (SELECT * FROM ${table}) x ORDER BY 1`);
        expect({ table, rows: theirs.map((r) => r.row) }).toEqual({ table, rows: mine.map((r) => r.row) });
      }
  };
  expect(await file.tidelock('check')).toMatchObject({ code: 0 });
  await using route = file.run();
  await route.state('running');
  for (let round = 1; round < 8; round++) {
    await work(source, round);
    if (round % 3 === 0) {
      await route.caughtUp();
      await compare();
    }
  }
  await route.caughtUp();
  await compare();

  for (const [table, rows] of Object.entries(ofOthers)) await target.query(`INSERT INTO ${table} VALUES ${rows}`);
  const marked = await target.query('SELECT id FROM marked');
  const kept = await target.query('SELECT id FROM kept');
  await source.query(`BEGIN; INSERT INTO filtered VALUES (9000, 1, 'eu', 'for a moment');
    TRUNCATE ${cases.map(({ name }) => name).join(', ')} RESTART IDENTITY;
    INSERT INTO filtered VALUES (9001, 1, 'eu', 'after'); INSERT INTO keyed VALUES (1, 1, 'eu', 'after'); COMMIT`);
  await route.caughtUp();
  const left = async (table: string): Promise<unknown> =>
    (await target.query(`SELECT x::text AS row FROM ${table} x ORDER BY 1`)).map((r) => r.row);
  const after: Record<string, string[]> = { filtered: ['(9001,1,eu,after)'], keyed: ['(north,1,1)'] };
  for (const table of cases.flatMap(({ expected }) => Object.keys(expected))) {
    if (table === 'marked' || table === 'kept') continue;
    const theirs = await target.query(
      ofOthers[table] === undefined
        ? 'SELECT 1 AS row WHERE false'
        : `SELECT x::text AS row FROM (VALUES ${ofOthers[table]}) x`,
    );
    const wanted = [...theirs.map((r) => String(r.row)), ...(after[table] ?? [])].sort();
    expect({ table, rows: await left(table) }).toEqual({ table, rows: wanted });
  }
  expect(await target.query('SELECT id FROM marked WHERE is_deleted')).toHaveLength(marked.length);
  expect(await target.query('SELECT id FROM kept')).toHaveLength(kept.length);
});

/** Rows at the target that no row of the source could have become. */
const ofOthers: Readonly<Record<string, string>> = {
  filtered: `(100001, 1, 'us', 'other'), (100002, NULL, 'eu', 'other')`,
  filtered_by_key: `(300000, 1, 'eu', 'other')`,
  routed_eu: `(100001, 1, 'us', 'other')`,
  routed_big: `(100001, 1, 'us', 'other'), (100002, 60, 'eu', 'other')`,
  quarters: `(1, 'q9', 1)`,
  keyed: `('south', 1, 1)`,
};
