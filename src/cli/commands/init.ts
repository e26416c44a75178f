import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { TlsMode } from '../../core/route.ts';
import { PatternProblem, parseTablePattern } from '../../core/table-pattern.ts';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { ask } from '../init/ask.ts';
import { carryOut } from '../init/carry-out.ts';
import type { Given } from '../init/given.ts';
import { isName } from '../init/names.ts';
import { Cancelled, Prompter } from '../init/prompter.ts';
import { demandTemplate, templates } from '../init/templates.ts';
import { withoutQuestions } from '../init/without-questions.ts';
import { demandFree } from '../init/write-file.ts';
import { initText } from '../init-text.ts';
import { terminalColumns, usesColours } from '../terminal.ts';

interface InitOptions extends CommonOptions {
  readonly output?: string;
  readonly template?: string;
  readonly name?: string;
  readonly source?: string;
  readonly target?: readonly string[];
  readonly tables?: readonly string[];
  readonly exclude?: readonly string[];
  readonly set?: readonly string[];
  readonly user?: string;
  readonly tls?: TlsMode;
  readonly ca?: string;
  readonly yes?: boolean;
  readonly offline?: boolean;
  readonly force?: boolean;
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
const listed = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...value.split(',').map((part) => part.trim()),
];

export function addInit(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'init',
    summary: 'look at the databases and write a configuration; asks for what no option tells, changes no database',
    example: `tidelock init
  tidelock init --source '\${SHOP_URL}' --target '\${COPY_URL}' --tables 'public.*' --yes`,
  })
    .option('-o, --output <file>', 'the file to write (else -c, TIDELOCK_CONFIG, tidelock.yaml)')
    .option('--template <name>', templates.map(({ name }) => name).join(', '))
    .option('--name <name>', 'of the deployment: prefixes slots and publications')
    .option('--source <url>', 'address of the source, or a reference such as ${SHOP_URL}')
    .option('--target <url>', 'address of the target; again for each of several', several)
    .option('--tables <names>', "globs and names, separated by commas: 'public.*'", listed)
    .option('--exclude <names>', 'what the globs are not to mean', listed)
    .option('--set <name=value>', 'a setting of the template, such as markColumn=is_deleted', several)
    .option('--user <name>', 'whom Tidelock is to run as, where the addresses are those of an administrator')
    .addOption(
      new Option('--tls <mode>', 'of both nodes, where it is not the standard').choices([
        'verifyFull',
        'verifyCa',
        'encrypt',
        'off',
      ]),
    )
    .option('--ca <file>', 'certificates to trust, for both nodes')
    .option('-y, --yes', 'ask nothing: options and what is there decide')
    .option('--offline', 'look at no database; with --yes')
    .option('--force', 'write over a file that is there')
    .action(exits(line, (options: InitOptions) => init(line, options)));
}

async function init(line: CommandLine, options: InitOptions): Promise<number> {
  const { force = false, offline = false, json = false, yes = false } = options;
  const file = resolve(line.cwd, options.output ?? options.config ?? (line.env.TIDELOCK_CONFIG || 'tidelock.yaml'));
  demandFree(file, force);
  const given = givenBy(options);
  const isAsked = !yes && !json && process.stdin.isTTY === true && line.err.isTTY === true;
  if (!isAsked && !yes && !json)
    throw fail(configErrors.arguments, { why: 'there is no terminal to ask at: give the options, and --yes' });
  const prompter = isAsked ? new Prompter(line.err) : null;
  try {
    const request = prompter === null ? await withoutQuestions(given, line, offline) : await ask(prompter, line, given);
    if (prompter !== null && !(await prompter.confirm(`Write ${file}?`, true))) throw new Cancelled();
    const document = await carryOut(request, { file, force, cwd: line.cwd, env: line.env });
    if (json) writeJson(line, document);
    else
      line.out.write(initText(document, { cwd: line.cwd, colours: usesColours(line), columns: terminalColumns(line) }));
    return 0;
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    prompter?.end('Nothing was written.');
    return 130;
  }
}

function givenBy(options: InitOptions): Given {
  const { template, name, source, target = [], tables = [], exclude = [], set = [], user, tls: mode, ca } = options;
  for (const [option, patterns] of Object.entries({ '--tables': tables, '--exclude': exclude }))
    for (const pattern of patterns) demandPattern(option, pattern);
  if (name !== undefined && !isName(name))
    throw fail(configErrors.arguments, {
      why: `--name ${name}: wants small letters, digits and single hyphens, at most 30`,
    });
  const chosen = template === undefined ? null : demandTemplate(template);
  return {
    template: chosen,
    deployment: name ?? null,
    source: source ?? null,
    targets: target,
    tables,
    exclude,
    settings: settingsOf(set, chosen ?? templates[0]),
    user: user ?? null,
    tls: mode === undefined && ca === undefined ? null : { mode, ca },
  };
}

function demandPattern(option: string, pattern: string): void {
  try {
    parseTablePattern(pattern);
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    throw fail(configErrors.arguments, { why: `${option} ${pattern}: ${error.message}` });
  }
}

function settingsOf(set: readonly string[], template: (typeof templates)[number] | undefined): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const text of set) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    const setting = template?.settings.find((of) => of.name === name);
    const names = template?.settings.map((of) => of.name).join(', ') || 'none';
    if (setting === undefined)
      throw fail(configErrors.arguments, {
        why: `--set ${text}: wants NAME=VALUE, and the template ${template?.name} has the settings: ${names}`,
      });
    const problem = setting.problem(value);
    if (problem !== null) throw fail(configErrors.arguments, { why: `--set ${name}: ${problem}` });
    settings[name] = value;
  }
  return settings;
}
