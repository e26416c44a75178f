// `npm run test:mutations [-- --each-promise | ID...]`: shows for each mutation that its test catches it, and passes without it.
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type Mutation, mutations, oneForEachPromise } from './mutations.ts';

const root = join(import.meta.dirname, '../..');
const wanted = process.argv.slice(2).flatMap((word) => (word === '--each-promise' ? oneForEachPromise : [word]));
const chosen = mutations.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
const unknown = wanted.filter((id) => !chosen.some((mutation) => mutation.id === id));
if (unknown.length > 0) throw new Error(`no such mutation: ${unknown.join(', ')}`);

/** Beside each other, each in a copy of its own: a test of one file waits for more than half of its time. */
const copies = Math.min(3, chosen.length);

function makeCopy(files: readonly string[]): string {
  const copy = mkdtempSync(join(tmpdir(), 'tidelock-mutations-'));
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Null where the test passes, else what it fails by. */
async function failure(copy: string, { test }: Mutation): Promise<string | null> {
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  // Of the whole group: a test that never gives its process a turn does not hear that the others have ended.
  const command = ['--signal=KILL', '300', process.execPath, vitest, 'run', test.file, '-t', test.name];
  const { status, stdout, stderr } = await run('timeout', command, copy);
  // A test that waits for ever is red as well: CI would end it.
  if (status === 137 || status === null) return 'it does not end';
  // Where the name matches nothing all tests are skipped, and vitest is content.
  const [, passed, failed] = /^(\d+) passed, (\d+) failed/m.exec(stdout) ?? [];
  if (Number(passed) + Number(failed) === 0 || passed === undefined)
    throw new Error(`no test was run for ${test.file} "${test.name}": ${stderr.trim().slice(-500)}`);
  if (status === 0) return null;
  const [said = 'it fails'] = /\b\w*Error: .*/.exec(stripVTControlCharacters(stderr)) ?? [];
  return said.length > 160 ? `${said.slice(0, 160)}…` : said;
}

interface Ended {
  /** Null where a signal has ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(command, args, { cwd, maxBuffer: 64_000_000 }, (_error, stdout, stderr) =>
      done({ status: child.exitCode, stdout, stderr }),
    );
  });
}

async function caughtBy(copy: string, mutation: Mutation): Promise<string | null> {
  const path = join(copy, mutation.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(mutation.find, () => mutation.replace),
  );
  const caught = await failure(copy, mutation);
  writeFileSync(path, source);
  return caught;
}

const unmutated = new Map<string, Promise<string | null>>();
let failed = 0;

async function show(copy: string, mutation: Mutation): Promise<void> {
  const key = `${mutation.test.file} ${mutation.test.name}`;
  const passes = unmutated.get(key) ?? failure(copy, mutation);
  unmutated.set(key, passes);
  const without = await passes;
  const by = without === null ? await caughtBy(copy, mutation) : null;
  if (by === null) failed++;
  const verdict =
    without !== null ? `its test fails without it: ${without}` : by === null ? 'NOT CAUGHT' : `caught: ${by}`;
  process.stdout.write(`promise ${mutation.promise}: ${mutation.id}: ${verdict}\n`);
}

async function showInCopy(files: readonly string[], left: Iterator<Mutation>): Promise<void> {
  const copy = makeCopy(files);
  try {
    for (let next = left.next(); !next.done; next = left.next()) await show(copy, next.value);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
const left = chosen.values();
// Each takes its copy away before the run ends, also where another has failed.
const ends = await Promise.allSettled(Array.from({ length: copies }, () => showInCopy(files, left)));
for (const end of ends) if (end.status === 'rejected') throw end.reason;
process.stdout.write(`${chosen.length - failed} of ${chosen.length} mutations are caught\n`);
process.exitCode = failed === 0 ? 0 : 1;
