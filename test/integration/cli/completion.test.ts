import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { CommandLine } from '../../../src/cli/command-line.ts';
import { complete } from '../../../src/cli/completion/complete.ts';
import { type Shell, scripts } from '../../../src/cli/completion/scripts.ts';
import { buildProgram } from '../../../src/cli/tidelock.ts';
import { engineProgram } from '../../support/engine.ts';

const program = engineProgram();
const folder = mkdtempSync(join(tmpdir(), 'tidelock-completion-'));
const configuration = `version: 1
name: test
nodes:
  shop: { type: postgres, url: "\${SHOP_URL}" }
  copy: { type: postgres, url: "\${COPY_URL}" }
routes:
  shop-to-copy: { from: shop, to: copy, tables: ["public.*"] }
  shop-to-other: { from: shop, to: copy, tables: ["other.*"] }
`;
writeFileSync(join(folder, 'tidelock.yaml'), configuration);
writeFileSync(join(folder, 'night.yaml'), configuration.replaceAll('shop-to', 'night'));
writeFileSync(join(folder, 'tidelock'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
chmodSync(join(folder, 'tidelock'), 0o755);

afterAll(() => rmSync(folder, { recursive: true }));

const line = { env: {}, cwd: folder } as CommandLine;

async function words(...written: string[]): Promise<string[]> {
  const { words: found } = await complete(written, line, (name) => buildProgram(line, name));
  return found.map(({ word }) => word);
}

test.each([
  [['sta'], ['status', 'start']],
  [['complet'], ['completion']],
  [['nonsense', ''], []],
  [
    ['stop', ''],
    ['shop-to-copy', 'shop-to-other'],
  ],
  [['stop', 'shop-to-copy', ''], ['shop-to-other']],
  [['status', 'shop-to-o'], ['shop-to-other']],
  [
    ['grants', ''],
    ['shop', 'copy'],
  ],
  [
    ['grants', '--part', ''],
    ['source', 'target'],
  ],
  [['grants', '--part', 'source', 'c'], ['copy']],
  [['grants', '--part=t'], ['--part=target']],
  [['grants', '--part', '=', 't'], ['target']],
  [
    ['grants', '--part', '='],
    ['source', 'target'],
  ],
  [['parked', 're'], ['retry']],
  [['parked', 'retry', 'shop-to-c'], ['shop-to-copy']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [
    ['start', '-c', 'night.yaml', ''],
    ['night-copy', 'night-other'],
  ],
  [['start', '--config=night.yaml', 'night-c'], ['night-copy']],
  [['start', '-c', 'gone.yaml', ''], []],
  [['wait', '--timeout', ''], []],
])('behind %j stands %j', async (written, expected) => {
  expect(await words(...written)).toEqual(expected);
});

test('options are offered once, and files where a file is meant', async () => {
  expect(await words('check', '--')).toContain('--json');
  expect(await words('check', '--json', '--')).not.toContain('--json');
  expect(await words('init', '--target', 'a', '--tar')).toEqual(['--target']);
  expect((await complete(['check', '-c', ''], line, (name) => buildProgram(line, name))).files).toBe(true);
});

/** What each shell is asked in its own words, and answers with. */
const asking: Readonly<Record<Shell, (words: readonly string[]) => readonly string[]>> = {
  bash: (written) => [
    'bash',
    '--norc',
    '-c',
    `source "$1"; shift; COMP_WORDS=(tidelock "$@"); COMP_CWORD=$#; compopt() { echo "compopt $*"; }; _tidelock; printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
    'script.bash',
    ...written,
  ],
  zsh: (written) => [
    'zsh',
    '-f',
    '-c',
    `compdef() { }; _files() { echo files }; _describe() { print -l -- "\${(@P)2}" }; source $1; shift; words=(tidelock "$@"); CURRENT=$#words; _tidelock`,
    'zsh',
    'script.zsh',
    ...written,
  ],
  fish: (written) => ['fish', '--no-config', '-c', `source script.fish; complete -C "tidelock ${written.join(' ')}"`],
};

const isInstalled = (shell: string): boolean => {
  try {
    execFileSync(shell, ['-c', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe.each(Object.keys(scripts) as Shell[])('%s', (shell) => {
  const ask = (...written: string[]): string[] => {
    writeFileSync(join(folder, `script.${shell}`), scripts[shell]);
    const [command = '', ...args] = asking[shell](written);
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder };
    const text = execFileSync(command, args, { cwd: folder, env, encoding: 'utf8', timeout: 30_000 });
    return text.split('\n').flatMap((of) => (of.trim() === '' ? [] : [(of.split(/[\t]|:(?=\S)/)[0] ?? '').trim()]));
  };

  test.runIf(isInstalled(shell))('offers commands, options and names', () => {
    expect(ask('sta').sort()).toEqual(['start', 'status']);
    expect(ask('stop', 'shop-to-copy', '')).toEqual(['shop-to-other']);
    expect(ask('grants', '--part', '').sort()).toEqual(['source', 'target']);
    expect(ask('check', '--js')).toEqual(['--json']);
  });
});
