import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { Existing } from '../../core/load.ts';
import { type CommandLine, exits } from '../command-line.ts';
import { jobResult } from '../jobs/job-result.ts';
import { watchJob } from '../jobs/watch-job.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';

interface LoadCommandOptions extends ControlOptions {
  readonly existing: string;
  readonly where?: string;
  readonly yes?: boolean;
  readonly reason?: string;
}

const ways: readonly string[] = ['refuse', 'merge', 'replace'];

export function addLoad(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'load <route> <table...>',
    summary: 'load tables of a running route anew, beside its stream; ^C leaves it running',
    example: 'tidelock load sales-to-reporting public.orders --existing replace --yes',
  })
    .option(
      '--existing <what>',
      'rows that are at the target: refuse them, merge (the source wins, others stay), or replace them',
      'refuse',
    )
    .option('--where <condition>', 'only rows of which it is true: comparisons of columns of the key with constants')
    .option('--yes', 'with replace: delete the rows that are there')
    .option('--reason <text>', 'why, for the journal')
    .action(
      exits(line, (route: string, tables: string[], options: LoadCommandOptions) =>
        load(line, { route, tables }, options),
      ),
    );
}

async function load(
  line: CommandLine,
  { route, tables }: { readonly route: string; readonly tables: readonly string[] },
  options: LoadCommandOptions,
): Promise<number> {
  const { existing, where = null } = options;
  if (!ways.includes(existing))
    throw fail(configErrors.arguments, { why: `--existing is one of ${ways.join(', ')}, not "${existing}"` });
  await using control = await openControl(line, options);
  if (existing === 'replace') {
    const which = where === null ? '' : `, where ${where},`;
    line.err.write(
      `${route}: the target's rows of ${tables.join(', ')}${which} are deleted, then loaded from the source\n`,
    );
    if (!options.yes)
      throw fail(configErrors.needsConsent, { command: `load ${route} ${tables.join(' ')} --existing replace` });
  }
  const asking = { tables: [...new Set(tables)], existing: existing as Existing, where };
  const order = { kind: 'load' as const, options: asking };
  const asked = await control.addJob(route, order, askedHere(options.reason));
  const job = await watchJob(line, control, asked.id, options);
  return job === null ? 130 : await jobResult(line, control, job, options);
}
