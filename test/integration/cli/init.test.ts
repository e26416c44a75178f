import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CommandLine } from '../../../src/cli/command-line.ts';
import { ask } from '../../../src/cli/init/ask.ts';
import { carryOut, type InitDocument } from '../../../src/cli/init/carry-out.ts';
import type { Given } from '../../../src/cli/init/given.ts';
import { Prompter } from '../../../src/cli/init/prompter.ts';
import { main } from '../../../src/cli/tidelock.ts';
import { loadConfiguration } from '../../../src/config/load-configuration.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';

const tables = `CREATE TABLE customers (id int PRIMARY KEY, name text); CREATE TABLE codes (code text NOT NULL UNIQUE);
  CREATE TABLE log (line text); CREATE SCHEMA "Far Away"; CREATE TABLE "Far Away"."T 1" (id int PRIMARY KEY);`;

let servers: PostgresServer[];
let source: TestDatabase;
let target: TestDatabase;
let folder: string;

beforeAll(async () => {
  servers = await Promise.all([0, 1].map(() => startPostgres({ settings: { fsync: 'on' } })));
  [source, target] = (await Promise.all([servers[0]?.createDatabase('shop'), servers[1]?.createDatabase('copy')])) as [
    TestDatabase,
    TestDatabase,
  ];
  await source.query(`${tables} CREATE ROLE shop_owner; CREATE VIEW seen AS SELECT 1 AS one;
    CREATE UNLOGGED TABLE fast (id int PRIMARY KEY)`);
  for (const table of ['customers', 'codes', 'log', '"Far Away"."T 1"'])
    await source.query(`ALTER TABLE ${table} OWNER TO shop_owner`);
  await target.query('CREATE TABLE customers (id int PRIMARY KEY, name text)');
});

afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidelock-init-'));
  return () => rmSync(folder, { recursive: true });
});

const withPassword = (db: TestDatabase): string => db.url().replace('postgres@', 'postgres:secret-word@');
const file = (): string => join(folder, 'tidelock.yaml');
const read = (): string => readFileSync(file(), 'utf8');

/** One command in this process, with what it wrote. */
async function tidelock(args: readonly string[], env: Record<string, string> = {}) {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') =>
    ({
      isTTY: false,
      write: (text: string) => {
        written[name] += text;
        return true;
      },
    }) as unknown as NodeJS.WriteStream;
  const code = await main(['node', 'tidelock', ...args], { env, cwd: folder, out: stream('out'), err: stream('err') });
  return { code, ...written };
}

test('what init writes is valid, and check is content once what it printed was done', async () => {
  const given = ['--source', withPassword(source), '--target', '${TO_THERE}', '--user', 'runner', '--yes', '--json'];
  const { code, out, err } = await tidelock(['init', ...given], { TO_THERE: target.url() });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const document = JSON.parse(out) as InitDocument;
  // The variable that was given is the one that the file has.
  expect(document.variables.map(({ name }) => name)).toEqual(['SHOP_URL', 'TO_THERE']);
  const errors = document.check?.routes.flatMap(({ findings }) => findings.filter(({ level }) => level === 'error'));
  expect(errors?.map(({ code: of, table }) => `${of} ${table}`).sort()).toEqual([
    'TL-2101 Far Away.T 1',
    'TL-2101 public.codes',
    'TL-2101 public.log',
    'source.replicaIdentity public.codes',
    'source.replicaIdentity public.log',
  ]);
  expect(errors?.find(({ table, code: of }) => table === 'public.codes' && of.startsWith('source'))?.statement).toBe(
    'ALTER TABLE "public"."codes" REPLICA IDENTITY USING INDEX "codes_code_key";',
  );

  const nodes = { shop: source, copy: target } as Record<string, TestDatabase>;
  const asAdministrator = { SHOP_URL: source.url(), TO_THERE: target.url() };
  expect((await tidelock(['schema', 'shop-to-copy', '--apply', 'all'], asAdministrator)).code).toBe(0);
  for (const { node, statement } of errors ?? []) if (statement) await nodes[node]?.query(statement);
  for (const { node, grants } of document.grants)
    for (const { statement, held } of grants) if (!held) await nodes[node]?.query(statement);
  const env = { SHOP_URL: source.url(undefined, 'runner'), TO_THERE: target.url(undefined, 'runner') };
  const checked = await tidelock(['check'], env);
  expect(checked.out).toContain('1 of 1 route is ready; nothing to mend');
  expect(checked.code).toBe(0);
});

test('no password gets into the file or into what is printed', async () => {
  const given = ['--source', withPassword(source), '--target', withPassword(target), '--yes'];
  const { code, out, err } = await tidelock(['init', ...given]);
  expect(code).toBe(0);
  expect(read() + out + err).not.toContain('secret-word');
  expect(read()).toContain('url: "${SHOP_URL}"');
  // What is left of an address without one may stand there.
  await tidelock(['init', '--source', source.url(), '--target', target.url(), '--yes', '--force']);
  expect(read()).toContain(`url: "${source.url()}"`);
});

test('what is wrong with an address is told of the option that it was given by', async () => {
  const wrong = await tidelock(['init', '--source', '${NOT_SET}', '--target', target.url(), '--yes']);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('TL-1014') });
  expect(wrong.err).toContain('--source: the environment variable NOT_SET is not set');
});

test('a file that is there stays as it is, and one that would not be valid is never written', async () => {
  const given = ['init', '--source', source.url(), '--target', target.url(), '--yes'];
  await tidelock(given);
  const before = read();
  const again = await tidelock([...given, '--name', 'other']);
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('--force') });
  expect(read()).toBe(before);
  expect((await tidelock([...given, '--name', 'other', '--force'])).code).toBe(0);
  expect(read()).toContain('name: other');
  const wrong = await tidelock([...given, '--name', 'Not A Name', '-o', 'new.yaml']);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('TL-1014') });
  expect(existsSync(join(folder, 'new.yaml'))).toBe(false);
  for (const option of [
    ['--tables', 'Public.*'],
    ['--template', 'one-wya'],
    ['--set', 'x=y'],
    ['--tls', 'none'],
  ])
    expect(await tidelock([...given, ...option, '-o', 'new.yaml'])).toMatchObject({ code: 2 });
});

test.each([
  ['one-way', ['--target', '${B}'], ['a-to-b']],
  ['fan-out', ['--target', '${B}', '--target', '${C}'], ['a-to-b', 'a-to-a-copy']],
  ['keep-everything', ['--target', '${B}'], ['a-to-b']],
  ['keep-everything', ['--target', '${B}', '--set', 'markColumn=is_deleted'], ['a-to-b']],
])('template %s makes a valid file without a look at a database', async (template, given, routes) => {
  const env = {
    A: 'postgres://u:p@nowhere.invalid/A',
    B: 'postgres://nowhere.invalid/b?',
    C: 'postgres://u@n.invalid/a',
  };
  env.B = 'postgres://u@nowhere.invalid/b';
  const options = ['--template', template, '--source', '${A}', ...given, '--tables', 'public.*,crm."X y"'];
  const { code, err } = await tidelock(['init', ...options, '--exclude', 'public.tmp_*', '--yes', '--offline'], env);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const configuration = loadConfiguration({ env, cwd: folder });
  expect([...configuration.routes.keys()]).toEqual(routes);
  for (const route of configuration.routes.values()) {
    const mapped = route.tables.select('public', 'orders');
    expect(mapped?.transforms.length).toBe(template === 'keep-everything' ? 1 : 0);
    expect(route.tables.select('public', 'tmp_1')).toBeNull();
    expect(route.tables.select('crm', 'X y')).not.toBeNull();
  }
});

/** A person who answers. */
class Answers extends Prompter {
  readonly asked: string[] = [];
  readonly #answers: (string | boolean | readonly string[])[];

  constructor(answers: readonly (string | boolean | readonly string[])[]) {
    super(new PassThrough() as unknown as NodeJS.WriteStream);
    this.#answers = [...answers];
  }

  #next<T>(message: string): T {
    this.asked.push(message);
    if (this.#answers.length === 0) throw new Error(`asked too much: ${message}`);
    return this.#answers.shift() as T;
  }

  override text = async (message: string): Promise<string> => this.#next(message);
  override select = async (message: string): Promise<string> => this.#next(message);
  override confirm = async (message: string): Promise<boolean> => this.#next(message);
  override several = async (message: string): Promise<string[]> => this.#next(message);
  override during = async <T>(_: string, run: () => Promise<T>): Promise<T> => await run();
  override begin = (): void => {};
  override warn = (): void => {};
}

test('asked step by step: a wrong address is asked again, and a superuser is asked for a user of its own', async () => {
  await source.query('CREATE TABLE late (line text); CREATE TABLE coded (code text NOT NULL UNIQUE)');
  const given: Given = {
    template: null,
    deployment: null,
    source: null,
    targets: [],
    tables: [],
    exclude: [],
    settings: {},
    user: null,
    tls: null,
  };
  const prompter = new Answers([
    'fan-out',
    'postgres://postgres@127.0.0.1:1/shop',
    'other',
    withPassword(source),
    'mover',
    target.url(),
    true,
    withPassword(target),
    false,
    ['public.*'],
    ['public.coded'],
    'night',
  ]);
  const line = { env: {}, cwd: folder } as CommandLine;
  const request = await ask(prompter, line, given);
  const document = await carryOut(request, { file: file(), force: false, cwd: folder, env: {} });
  expect(document.routes).toEqual(['shop-to-copy', 'shop-to-copy-copy']);
  expect(document.variables.map(({ example }) => new URL(example).username)).toEqual(['mover', 'mover', 'mover']);
  expect(document.grants.map(({ user, node }) => `${user} ${node}`)).toEqual([
    'mover shop',
    'mover copy',
    'mover copy-copy',
  ]);
  // Without a key, and not kept; a view and what is not in the log.
  expect(
    /exclude:\n((?: {6}- .*\n)+)/
      .exec(read())?.[1]
      ?.match(/public\.\w+/g)
      ?.sort(),
  ).toEqual(['public.fast', 'public.late', 'public.seen']);
  expect(read()).not.toContain('secret-word');
  expect(prompter.asked).toHaveLength(12);
});
