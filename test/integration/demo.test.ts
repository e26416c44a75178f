import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type * as BankScenario from '../../src/demo/bank-scenario.ts';
import type * as RunDemo from '../../src/demo/run-demo.ts';
import { engineModule, engineProgram } from '../support/engine.ts';
import { runDirectory } from '../support/run-directory.ts';
import { isThorough } from '../support/thorough.ts';
import { expectToldInText } from '../support/told-demo.ts';

/** As `npm run demo` starts it. */
const commandLine = join(import.meta.dirname, '../../src/cli/main.ts');
const timeoutMs = 150_000;
let temporary: string;
const before = process.env.TMPDIR;

/** Everything that a demo makes is in here, so that what it leaves can be told from anybody else's. */
beforeAll(() => {
  temporary = mkdtempSync(join(runDirectory(), 'demo-'));
  // Servers of a root run work as another user.
  for (const folder of [runDirectory(), temporary]) chmodSync(folder, 0o755);
  process.env.TMPDIR = temporary;
});

afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(temporary, { recursive: true, force: true });
});

/** Processes that have a file of the demo on their command line: servers, engine, workers. */
function processesLeft(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((words) => words.includes(temporary));
}

function expectNothingLeft(): void {
  expect(readdirSync(temporary)).toEqual([]);
  expect(processesLeft()).toEqual([]);
}

type Command = ChildProcessByStdio<null, Readable, Readable>;

function command(program: string, ...words: string[]): Command {
  return spawn(process.execPath, [program, 'demo', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Reads to the end; sends the signal once the route follows. */
async function signalWhenRunning(demo: Command, signal: NodeJS.Signals): Promise<void> {
  let output = '';
  let sent = false;
  for await (const chunk of demo.stdout) {
    output += String(chunk);
    if (sent || !output.includes('caught up and follows')) continue;
    sent = demo.kill(signal);
  }
  expect(sent).toBe(true);
}

// In `npm test` the demo of the installed package ends equal (package.test.ts).
if (isThorough)
  test('the demo ends equal after its worker was killed, and leaves nothing', { timeout: timeoutMs }, async () => {
    const demo = command(commandLine, '--seconds', '4');
    const exited = once(demo, 'exit');
    const [output, errors] = await Promise.all([text(demo.stdout), text(demo.stderr)]);
    expect(errors).toBe('');
    expectToldInText(output);
    expect(await exited).toEqual([0, null]);
    expectNothingLeft();
  });

test('a row changed behind the engine at the target is found', { timeout: timeoutMs }, async () => {
  const { runDemo } = (await engineModule('src/demo/run-demo')) as typeof RunDemo;
  const { bankScenario } = (await engineModule('src/demo/bank-scenario')) as typeof BankScenario;
  const out = new PassThrough();
  const output = text(out);
  const exitCode = await runDemo({
    scenario: bankScenario,
    seconds: 1,
    keep: false,
    json: true,
    signal: new AbortController().signal,
    out: out as unknown as NodeJS.WriteStream,
    beforeCompare: async (target) => {
      await target.query('UPDATE bank.accounts SET balance = balance + 0.01 WHERE id = 1');
      await target.query('DELETE FROM bank.journal WHERE id = (SELECT min(id) FROM bank.journal)');
    },
  });
  out.end();
  expect(exitCode).toBe(1);
  const verdict = JSON.parse(await output);
  expect(verdict).toMatchObject({
    ...{ version: 1, passed: false, equal: false, bank: { wrong: 0 } },
    compare: { meanwhile: true, equal: false, agrees: true },
    tables: expect.arrayContaining([
      expect.objectContaining({ name: 'bank.accounts', rows: 1_000, equal: 999, different: 1 }),
      expect.objectContaining({ name: 'bank.journal', missing: 1, extra: 0, different: 0 }),
    ]),
  });
  expect(verdict.tables).toHaveLength(6);
  expectNothingLeft();
});

test('an interrupted demo leaves nothing', { timeout: timeoutMs }, async () => {
  const demo = command(commandLine, '--seconds', '60');
  const exited = once(demo, 'exit');
  await signalWhenRunning(demo, 'SIGINT');
  expect(await exited).toEqual([130, null]);
  expectNothingLeft();
});

test('a demo that is killed is cleaned up after', { timeout: timeoutMs }, async () => {
  const demo = command(engineProgram(), '--seconds', '60');
  await signalWhenRunning(demo, 'SIGKILL');
  await expect.poll(() => [...processesLeft(), ...readdirSync(temporary)], { timeout: 90_000 }).toEqual([]);
});

test('a demo that is killed while its servers are made is cleaned up after', { timeout: timeoutMs }, async () => {
  const demo = command(engineProgram(), '--seconds', '60');
  const exited = once(demo, 'exit');
  const initdb = () => processesLeft().some((words) => words.includes('initdb'));
  await expect.poll(initdb, { timeout: 90_000, interval: 5 }).toBe(true);
  demo.kill('SIGKILL');
  await exited;
  await expect.poll(() => [...processesLeft(), ...readdirSync(temporary)], { timeout: 90_000 }).toEqual([]);
});
