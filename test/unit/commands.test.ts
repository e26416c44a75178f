import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { CommandLine } from '../../src/cli/command-line.ts';
import { commands, hidden } from '../../src/cli/commands.ts';
import { cliPage } from '../../src/cli/documentation/cli-page.ts';
import { buildProgram, main } from '../../src/cli/tidelock.ts';
import { routeStates } from '../../src/core/route-status.ts';

function line(): { readonly line: CommandLine; readonly text: () => string } {
  let written = '';
  const stream = {
    isTTY: false,
    write: (text: string) => {
      written += text;
      return true;
    },
  } as unknown as NodeJS.WriteStream;
  const signal = new AbortController().signal;
  return {
    line: { env: {}, cwd: '/nowhere', out: stream, err: stream, signal, exitCode: 0 },
    text: () => written,
  };
}

/** Without those that only hold others. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

test.each(Object.keys(commands))('%s is loaded alone under its name', async (name) => {
  const program = await buildProgram(line().line, name);
  expect(program.commands.map((command) => command.name())).toEqual([name]);
});

test('what only prints a version loads no command', async () => {
  expect((await buildProgram(line().line, '--version')).commands).toEqual([]);
});

describe('help', async () => {
  const program = await buildProgram(line().line);
  test.each(leaves(program).map((command) => [command.name(), command] as const))(
    'of %s has an example',
    (_, command) => {
      let help = '';
      command.configureOutput({
        writeOut: (text) => {
          help += text;
        },
      });
      command.outputHelp();
      expect(help).toMatch(/\nExamples?:\n {2}\S*tidelock /);
      expect(help).toContain('-h, --help');
    },
  );
});

test("the README's table has every command, and no other", () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, section = ''] = /\n## Commands\n([\s\S]*?)\n## /.exec(readme) ?? [];
  const cells = [...section.matchAll(/^\| (`tidelock .*?) +\|/gm)].map(([, cell = '']) => cell);
  const named = cells.flatMap((cell) => [...cell.matchAll(/`(?:tidelock )?([a-z]+)/g)].map(([, name]) => name));
  expect([...new Set(named)].sort()).toEqual(
    Object.keys(commands)
      .filter((name) => !hidden.has(name))
      .sort(),
  );
});

test('the states in docs/operations.md are those that there are', () => {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, section = ''] = /\n## States\n([\s\S]*?)\n## /.exec(page) ?? [];
  const named = [...section.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
  expect(named.sort()).toEqual([...routeStates, 'unknown'].sort());
});

/** The engine itself, what asks only or changes nothing of a deployment, and what comes before there is a target that could hold a journal. */
const withoutReason =
  /^(run|prepare|init|demo|check|plan|status|wait|grants|journal|errors|completion|complete|validate|show|schema|list|watch)$/;

test('whatever asks for something takes the reason for it', async () => {
  const program = await buildProgram(line().line);
  const mute = leaves(program).filter((command) => !command.options.some(({ long }) => long === '--reason'));
  expect(mute.map((command) => command.name()).filter((name) => !withoutReason.test(name))).toEqual([]);
  const said = leaves(program).filter((command) => !mute.includes(command));
  for (const name of ['drop', 'position', 'sequences', 'apply', 'retry', 'cancel', 'stop'])
    expect(said.map((command) => command.name())).toContain(name);
});

test.each<[readonly string[], string]>([
  [['statsu'], "tidelock: unknown command 'statsu', did you mean status?"],
  [['help', 'statsu'], 'tidelock: there is no command statsu, did you mean "status"?'],
  [['check', '--jsn'], "tidelock check: unknown option '--jsn', did you mean --json?"],
  [['status', 'a', 'b'], "tidelock status: too many arguments for 'status'. Expected 1 argument but got 2."],
  [['wait'], "tidelock wait: missing required argument 'route'"],
  [['wait', 'a', '--timeout'], "tidelock wait: option '--timeout <duration>' argument missing"],
  [['parked'], 'tidelock parked: wants one of list, show, retry, discard'],
  [['parked', 'lits'], "tidelock parked: unknown command 'lits', did you mean list?"],
  [['jobs', 'wacth', 'a/1'], 'did you mean "watch"?'],
  [['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish.'],
  [['grants', 'a', '--part', 'sauce'], 'tidelock grants: option'],
])('what commander refuses of %j has a code, the command, and what to do', async (words, said) => {
  const { line: given, text } = line();
  const argv = ['node', 'tidelock', ...words];
  expect(await main(argv, given)).toBe(2);
  const [message = '', remedy] = text().split('\n');
  expect(message).toMatch(/^TL-1014 tidelock/);
  expect(message).toContain(said);
  const [, command] = /^TL-1014 (tidelock[ a-z]*):/.exec(message) ?? [];
  expect(remedy).toBe(`${command} -h shows what it takes.`);

  const { line: asked, text: document } = line();
  const before = words.at(-1) === '--timeout' ? -1 : words.length;
  expect(await main(['node', 'tidelock', ...words.toSpliced(before, 0, '--json')], asked)).toBe(2);
  expect(JSON.parse(document())).toMatchObject({ error: { code: 'TL-1014', recovery: 'usage', place: { command } } });
});

test('docs/cli.md is what the commands say of themselves', async () => {
  const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  expect(page, 'npm run docs writes it').toBe(await cliPage());
});
