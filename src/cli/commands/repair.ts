import type { Command } from 'commander';
import type { Control } from '../../control/control.ts';
import { type JobDetail, parseJobId } from '../../control/jobs.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { type CommandLine, exits } from '../command-line.ts';
import { lastDifferent } from '../compare/last-different.ts';
import { shareOption } from '../compare/share-option.ts';
import { jobResult } from '../jobs/job-result.ts';
import { watchJob } from '../jobs/watch-job.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';

interface RepairOptions extends ControlOptions {
  readonly where?: string;
  readonly from?: string;
  readonly last?: boolean;
  readonly dryRun?: boolean;
  readonly undo?: string;
  readonly maxLoad?: string;
  readonly showValues?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
}

export function addRepair(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'repair <route> [tables...]',
    summary:
      'make rows that differ at the target as they are at the source, while everything goes on; exit code 1 where some still differ',
    example: 'tidelock repair sales-to-reporting public.orders --where "id = 4711" --yes',
  })
    .option('--where <condition>', 'only rows for which it is true, in the names of the source: given keys')
    .option(
      '--last',
      "only the tables in which the route's last compare has found differences, or the one that its status tells of",
    )
    .option('--from <node>', 'the node that is right: wanted where another route carries rows back')
    .option('--dry-run', 'only tell what would be done')
    .option('--undo <job>', 'give back the rows that a repair has changed, where they are still as it has left them')
    .option('--max-load <share>', 'use the databases for this share of the time: 25%')
    .option('--show-values', 'the values of rows that differ, too: they may be confidential')
    .option('--yes', 'do it')
    .option('--reason <text>', 'why, for the journal')
    .action(
      exits(line, (route: string, tables: string[], options: RepairOptions) =>
        repair(line, { route, tables }, options),
      ),
    );
}

interface Asked {
  readonly route: string;
  readonly tables: readonly string[];
}

/** Without --yes what it would do, and that somebody has to agree. ^C leaves the job to the engine. */
async function repair(line: CommandLine, asked: Asked, options: RepairOptions): Promise<number> {
  await using control = await openControl(line, options);
  const { route } = asked;
  const isDryRun = options.dryRun === true || (options.yes !== true && options.undo === undefined);
  if (options.undo !== undefined && options.yes !== true)
    throw fail(configErrors.needsConsent, { command: `repair ${route} --undo ${options.undo}` });
  if (options.last && asked.tables.length > 0)
    throw fail(configErrors.arguments, { why: 'give tables or --last, not both' });
  const tables = options.last ? await lastDifferent(control, route) : asked.tables;
  const begun = await ordered(control, { route, tables }, { ...options, dryRun: isDryRun });
  const job = await watchJob(line, control, begun.id, options);
  if (job === null) return 130;
  const code = await jobResult(line, control, job, options);
  if (isDryRun && options.dryRun !== true && code === 1)
    throw fail(configErrors.needsConsent, { command: `repair ${route}`, undoneBy: '--undo' });
  return code;
}

function ordered(control: Control, { route, tables }: Asked, options: RepairOptions): Promise<JobDetail> {
  const { where = null, from, dryRun = false, undo, maxLoad, showValues = false, reason } = options;
  return control.addJob(
    route,
    {
      kind: 'repair',
      options: {
        tables,
        where,
        dryRun,
        undo: undo === undefined ? null : undoneJob(route, undo),
        maxLoad: maxLoad === undefined ? null : shareOption('--max-load', maxLoad),
        showValues,
        ...(from !== undefined && { from }),
      },
    },
    askedHere(reason),
  );
}

function undoneJob(route: string, text: string): number {
  const id = parseJobId(text.includes('/') ? text : `${route}/${text}`);
  if (id.route !== route) throw fail(configErrors.arguments, { why: `${text} is a job of another route` });
  return id.number;
}
