import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { TableMapper } from '../../../src/pipeline/table-mapper.ts';
import { ConfigurationFiles, withRoute } from '../../support/configuration-files.ts';
import { RouteFile } from '../../support/route.ts';
import {
  exits,
  expectAsSql,
  makeTables,
  type TransformStage,
  transformCases,
  work,
} from '../../support/transform-trial.ts';
import { twoServers } from '../../support/two-servers.ts';

const servers = twoServers();

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

test('each transform, through load and stream, is what SQL says of the source', async () => {
  const { source, target } = await servers.pair();
  const stage: TransformStage = { family: 'postgres', source, target };
  const cases = transformCases(stage);
  const entries = await makeTables(stage);
  await work(stage, 0);
  // Of what was gone before the load nothing is known at the target.
  for (const name of ['marked', 'kept']) await source.query(gone(name));
  await using file = new RouteFile({ source, target, route: `tables:\n${entries}` });
  file.write(exits);
  expect(await file.tidelock('check')).toMatchObject({ code: 0 });
  await using route = file.run();
  await route.state('running');
  let merging: Promise<unknown> | null = null;
  for (let round = 1; round < 8; round++) {
    // Rows that were kept are replaced by another worker, and while their tables are loaded over them.
    if (round === 2) process.kill(await route.workerPid(), 'SIGKILL');
    if (round === 4)
      merging = file.tidelock('load', 'here-to-there', 'public.marked', 'public.kept', '--existing', 'merge');
    await work(stage, round);
    if (round % 3 === 0) {
      if (round === 6) expect(await route.unhalted(Promise.resolve(merging))).toMatchObject({ code: 0 });
      await route.unhalted(route.caughtUp());
      await expectAsSql(stage);
    }
  }
  await route.unhalted(route.caughtUp());
  await expectAsSql(stage);
  // A load that replaces takes kept rows with it, and nothing of others.
  await source.query('TRUNCATE marked_gone');
  const replace = file.tidelock('load', 'here-to-there', 'public.marked', '--existing', 'replace', '--yes');
  expect(await route.unhalted(replace)).toMatchObject({ code: 0 });
  await work(stage, 8);
  await route.unhalted(route.caughtUp());
  await expectAsSql(stage);

  for (const [table, rows] of Object.entries(ofOthers)) await target.query(`INSERT INTO ${table} VALUES ${rows}`);
  const marked = await target.query('SELECT id FROM marked');
  const kept = await target.query('SELECT id FROM kept');
  await source.query(`BEGIN; INSERT INTO filtered VALUES (9000, 1, 'eu', 'for a moment');
    TRUNCATE ${cases.map(({ name }) => name).join(', ')} RESTART IDENTITY;
    INSERT INTO filtered VALUES (9001, 1, 'eu', 'after'); INSERT INTO keyed VALUES (1, 1, 'eu', 'after'); COMMIT`);
  await route.unhalted(route.caughtUp());
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
