import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { TableMapper } from '../../../src/pipeline/table-mapper.ts';
import { ConfigurationFiles, withRoute } from '../../support/configuration-files.ts';
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
  let merging: Promise<unknown> | null = null;
  for (let round = 1; round < 8; round++) {
    // Rows that were kept are replaced by another worker, and while their tables are loaded over them.
    if (round === 2) process.kill(await route.workerPid(), 'SIGKILL');
    if (round === 4)
      merging = file.tidelock('load', 'here-to-there', 'public.marked', 'public.kept', '--existing', 'merge');
    await work(source, round);
    if (round % 3 === 0) {
      if (round === 6) expect(await merging).toMatchObject({ code: 0 });
      await route.caughtUp();
      await compare();
    }
  }
  await route.caughtUp();
  await compare();
  // A load that replaces takes kept rows with it, and nothing of others.
  await source.query('TRUNCATE marked_gone');
  const replace = await file.tidelock('load', 'here-to-there', 'public.marked', '--existing', 'replace', '--yes');
  expect(replace).toMatchObject({ code: 0 });
  await work(source, 8);
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

const documentColumns: Readonly<Record<string, string>> = {
  id: 'int4 PRIMARY KEY',
  price: 'numeric',
  quantity: 'int4',
  total: 'numeric',
  name: 'text',
  fname: 'text',
  city: 'text',
  code: 'int4',
  country: 'text',
  country_code: 'text',
  status: 'text',
  email: 'text',
  card: 'text',
  ssn: 'text',
  region: 'text',
  home_street: 'text',
  work_street: 'text',
  q1: 'int4',
  q2: 'int4',
  q3: 'int4',
  q4: 'int4',
};
/** Loaded, streamed, and streamed and deleted. */
const documentRows = [
  `(1, 2.50, 4, 1.239, ' Zoë  Quartz ', 'Zoë', 'N/A', 7, NULL, 'ch', 'A', 'zoe@example.org', '4111 1111', '1', 'EU', 'Home 1', 'Work 1', 1, 2, 3, NULL)`,
  `(2, 10, 3, 2, 'Max Muster', 'Max', '', 8, 'France', 'fr', 'I', 'max@example.org', '4222 2222', '2', 'US', 'Home 2', NULL, 4, 5, 6, 7)`,
  `(3, 1, 1, 1, 'Gone', 'Gone', 'x', 9, 'x', 'fr', 'A', 'gone@example.org', '4333', '3', 'EU', 'h', 'w', 0, 0, 0, 0)`,
];

type Entry = Record<string, unknown> & { readonly name: string };

/** What stands in the blocks of the page: entries, or transforms, each of which is tried by itself. */
function documentEntries(): Entry[] {
  const page = readFileSync(new URL('../../../docs/transforms.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) =>
    parse(text.replaceAll('${MASK_KEY}', 'a key of the documentation')),
  );
  return blocks
    .flatMap((block) => (Array.isArray(block) ? block.map((transform) => ({ transforms: [transform] })) : block.tables))
    .map((entry: Omit<Entry, 'name'>, at) => ({ ...entry, name: `public.doc_${at}` }));
}

test('the examples of docs/transforms.md are configurations, and do what they say', async () => {
  const { source, target } = await servers.pair();
  const entries = documentEntries();
  expect(entries.length).toBeGreaterThan(18);
  const files: Record<string, string> = {
    'countries.csv': 'code,name\nch,Switzerland\nfr,France\n',
    'exits/initials.ts': readFileSync(new URL('../../../docs/examples/initials.ts', import.meta.url), 'utf8'),
  };
  const route = `tables: ${JSON.stringify(entries)}`;
  using folder = new ConfigurationFiles();
  for (const [name, text] of Object.entries(files)) folder.write(name, text);
  const { tables } = folder.load(withRoute(route)).routes.demand('r', 'route');
  await tables.prepare();
  const mapper = new TableMapper('r', tables);
  const columns = Object.entries(documentColumns).map(([name, type]) => `${name} ${type}`);
  const targets: string[] = [];
  for (const entry of entries) {
    const { name } = entry;
    const isFull = /"(where|route|split)":/.test(JSON.stringify(entry));
    await source.query(`CREATE TABLE ${name} (${columns.join(', ')}); ALTER TABLE ${name} REPLICA IDENTITY ${isFull ? 'FULL' : 'DEFAULT'};
      INSERT INTO ${name} VALUES ${documentRows[0]}`);
    const binding = mapper.bind({
      schema: 'public',
      name: name.slice('public.'.length),
      identity: isFull ? 'full' : 'default',
      columns: Object.entries(documentColumns).map(([column, type]) => ({
        name: column,
        type: `pg_catalog.${type.split(' ')[0]}`,
        modifier: -1,
        key: isFull || column === 'id',
      })),
    });
    for (const table of binding.tables) {
      const label = `${table.schema}.${table.name}`;
      const key = table.columns
        .map((column) => column.name)
        .filter((one) => ((entry.key as string[] | undefined) ?? ['id', 'kind', 'quarter']).includes(one));
      const definitions = table.columns.map((column) => `${column.name} ${column.type}`);
      await target.query(`CREATE SCHEMA IF NOT EXISTS ${table.schema};
        CREATE TABLE ${label} (${definitions.join(', ')}, PRIMARY KEY (${key.join(', ')}))`);
      targets.push(label);
    }
  }
  await using file = new RouteFile({ source, target, route });
  file.write(files);
  const { code, out } = await file.tidelock('check');
  expect(code, out).toBe(0);
  await using running = file.run();
  await running.state('running');
  for (const { name } of entries)
    await source.query(`INSERT INTO ${name} VALUES ${documentRows[1]}, ${documentRows[2]};
      UPDATE ${name} SET quantity = 5 WHERE id = 2; DELETE FROM ${name} WHERE id = 3`);
  await running.caughtUp();
  const known = new Set(Object.keys(documentColumns));
  const found: Record<string, unknown> = {};
  for (const [at, label] of targets.entries()) {
    const rows = await target.query(`SELECT * FROM ${label} ORDER BY 1, 2`);
    const original = await source.query(`SELECT * FROM ${entries[0]?.name} ORDER BY id`);
    // What is as it was says nothing.
    found[`${at} ${label}`] = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).filter(
          ([name, value]) =>
            name === 'id' || !known.has(name) || value !== original.find(({ id }) => id === row.id)?.[name],
        ),
      ),
    );
  }
  expect(found).toMatchInlineSnapshot(`
    {
      "0 crm.customers": [
        {
          "email": "904c648f300c783037a052f818a1f64f",
          "first_name": "Zoë",
          "id": 1,
          "name": "Zoë Quartz",
          "site": "north",
        },
      ],
      "1 public.doc_1": [
        {
          "id": 1,
          "old_name": " Zoë  Quartz ",
          "site": "north",
          "total": "10.00",
        },
        {
          "id": 2,
          "old_name": "Max Muster",
          "site": "north",
          "total": "50",
        },
      ],
      "10 eu.orders": [
        {
          "id": 1,
        },
      ],
      "11 us.orders": [
        {
          "id": 2,
        },
      ],
      "12 crm.addresses": [
        {
          "id": 1,
          "kind": "home",
          "street": "Home 1",
        },
        {
          "id": 1,
          "kind": "work",
          "street": "Work 1",
        },
        {
          "id": 2,
          "kind": "home",
          "street": "Home 2",
        },
      ],
      "13 public.doc_12": [
        {
          "amount": 1,
          "id": 1,
          "quarter": "q1",
        },
        {
          "amount": 2,
          "id": 1,
          "quarter": "q2",
        },
        {
          "amount": 3,
          "id": 1,
          "quarter": "q3",
        },
        {
          "amount": null,
          "id": 1,
          "quarter": "q4",
        },
        {
          "amount": 4,
          "id": 2,
          "quarter": "q1",
        },
        {
          "amount": 5,
          "id": 2,
          "quarter": "q2",
        },
        {
          "amount": 6,
          "id": 2,
          "quarter": "q3",
        },
        {
          "amount": 7,
          "id": 2,
          "quarter": "q4",
        },
      ],
      "14 public.doc_13": [
        {
          "id": 1,
        },
        {
          "id": 2,
        },
        {
          "card": "4333",
          "city": "x",
          "code": 9,
          "country": "x",
          "country_code": "fr",
          "email": "gone@example.org",
          "fname": "Gone",
          "home_street": "h",
          "id": 3,
          "name": "Gone",
          "price": "1",
          "q1": 0,
          "q2": 0,
          "q3": 0,
          "q4": 0,
          "quantity": 1,
          "region": "EU",
          "ssn": "3",
          "status": "A",
          "total": "1",
          "work_street": "w",
        },
      ],
      "15 public.doc_14": [
        {
          "id": 1,
          "is_deleted": false,
        },
        {
          "id": 2,
          "is_deleted": false,
        },
        {
          "card": "4333",
          "city": "x",
          "code": 9,
          "country": "x",
          "country_code": "fr",
          "email": "gone@example.org",
          "fname": "Gone",
          "home_street": "h",
          "id": 3,
          "is_deleted": true,
          "name": "Gone",
          "price": "1",
          "q1": 0,
          "q2": 0,
          "q3": 0,
          "q4": 0,
          "quantity": 1,
          "region": "EU",
          "ssn": "3",
          "status": "A",
          "total": "1",
          "work_street": "w",
        },
      ],
      "16 public.doc_15": [
        {
          "id": 1,
          "state": "here",
        },
        {
          "id": 2,
          "state": "here",
        },
        {
          "card": "4333",
          "city": "x",
          "code": 9,
          "country": "x",
          "country_code": "fr",
          "email": "gone@example.org",
          "fname": "Gone",
          "home_street": "h",
          "id": 3,
          "name": "Gone",
          "price": "1",
          "q1": 0,
          "q2": 0,
          "q3": 0,
          "q4": 0,
          "quantity": 1,
          "region": "EU",
          "ssn": "3",
          "state": "gone",
          "status": "A",
          "total": "1",
          "work_street": "w",
        },
      ],
      "17 public.doc_16": [
        {
          "id": 1,
        },
        {
          "id": 2,
        },
        {
          "card": "4333",
          "city": "x",
          "code": 9,
          "country": "x",
          "country_code": "fr",
          "email": "gone@example.org",
          "fname": "Gone",
          "home_street": "h",
          "id": 3,
          "name": "Gone",
          "price": "1",
          "q1": 0,
          "q2": 0,
          "q3": 0,
          "q4": 0,
          "quantity": 1,
          "region": "EU",
          "ssn": "3",
          "status": "A",
          "total": "1",
          "work_street": "w",
        },
      ],
      "18 public.doc_17": [
        {
          "id": 1,
          "initials": "Z.Q.",
        },
        {
          "id": 2,
          "initials": "M.M.",
        },
      ],
      "19 public.doc_18": [
        {
          "id": 1,
          "initials": "Z.Q.",
        },
        {
          "id": 2,
          "initials": "M.M.",
        },
      ],
      "2 public.doc_2": [
        {
          "code": "7",
          "id": 1,
          "total": "1.24",
        },
        {
          "code": "8",
          "id": 2,
          "total": "2.00",
        },
      ],
      "3 public.doc_3": [
        {
          "country": "unknown",
          "id": 1,
        },
        {
          "id": 2,
        },
      ],
      "4 public.doc_4": [
        {
          "city": null,
          "id": 1,
          "name": "Zoë Quartz",
        },
        {
          "city": null,
          "id": 2,
        },
      ],
      "5 public.doc_5": [
        {
          "id": 1,
          "status": "active",
        },
        {
          "id": 2,
          "status": "inactive",
        },
      ],
      "6 public.doc_6": [
        {
          "email": "904c648f300c783037a052f818a1f64f",
          "id": 1,
        },
        {
          "email": "a3540c0543021653d44e955895aad018",
          "id": 2,
        },
      ],
      "7 public.doc_7": [
        {
          "card": "*****1111",
          "id": 1,
        },
        {
          "card": "*****2222",
          "id": 2,
        },
      ],
      "8 public.doc_8": [
        {
          "id": 1,
          "name": "Terri Cronin",
        },
        {
          "id": 2,
          "name": "Kraig Pouros",
        },
      ],
      "9 public.doc_9": [
        {
          "country_name": "Switzerland",
          "id": 1,
        },
        {
          "country_name": "France",
          "id": 2,
        },
      ],
    }
  `);
});
