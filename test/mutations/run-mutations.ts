// `npm run test:mutations [-- --each-promise | ID...]`: shows for each mutation that its test catches it, and passes without it.
import { execFileSync, spawnSync } from 'node:child_process';
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
const copy = mkdtempSync(join(tmpdir(), 'tidelock-mutations-'));

function prepare(): void {
  const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** Null where the test passes, else what it fails by. */
function failure({ test }: Mutation): string | null {
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  // Of the whole group: a test that never gives its process a turn does not hear that the others have ended.
  const command = ['--signal=KILL', '300', process.execPath, vitest, 'run', test.file, '-t', test.name];
  const { status, stdout, stderr } = spawnSync('timeout', command, { cwd: copy, encoding: 'utf8' });
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

function caughtBy(mutation: Mutation): string | null {
  const path = join(copy, mutation.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(mutation.find, () => mutation.replace),
  );
  const caught = failure(mutation);
  writeFileSync(path, source);
  return caught;
}

let failed = 0;
try {
  prepare();
  const unmutated = new Map<string, string | null>();
  for (const mutation of chosen) {
    const key = `${mutation.test.file} ${mutation.test.name}`;
    if (!unmutated.has(key)) unmutated.set(key, failure(mutation));
    const without = unmutated.get(key) ?? null;
    const by = without === null ? caughtBy(mutation) : null;
    if (by === null) failed++;
    const verdict =
      without !== null ? `its test fails without it: ${without}` : by === null ? 'NOT CAUGHT' : `caught: ${by}`;
    process.stdout.write(`promise ${mutation.promise}: ${mutation.id}: ${verdict}\n`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(`${chosen.length - failed} of ${chosen.length} mutations are caught\n`);
process.exitCode = failed === 0 ? 0 : 1;
