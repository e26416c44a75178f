import type { Command } from 'commander';
import { type JobDetail, parseJobId } from '../../control/jobs.ts';
import type { JobWish } from '../../core/job.ts';
import { type CommandLine, type CommandSpec, exits, writeJson } from '../command-line.ts';
import { shareOption } from '../compare/share-option.ts';
import { jobResult } from '../jobs/job-result.ts';
import { jobLine, jobsText } from '../jobs/job-text.ts';
import { watchJob } from '../jobs/watch-job.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';
import { terminalColumns } from '../terminal.ts';

interface ListOptions extends ControlOptions {
  readonly limit: string;
}

interface AskOptions extends ControlOptions {
  readonly maxLoad?: string;
  readonly reason?: string;
}

export function addJobs(program: Command, line: CommandLine): void {
  const jobs = program
    .command('jobs')
    .description('long work that engines do: list, watch, pause, resume, cancel')
    .addHelpText('after', '\nExample:\n  tidelock jobs watch sales-to-reporting/12');
  const add = (spec: CommandSpec): Command => addControlCommand(jobs, spec);

  add({
    name: 'list [route]',
    summary: 'jobs of all routes, or of one, the newest first',
    example: 'tidelock jobs list',
    isDefault: true,
  })
    .option('--limit <jobs>', 'jobs at most', '20')
    .action(exits(line, (route: string | undefined, options: ListOptions) => list(line, route, options)));
  add({
    name: 'watch <job>',
    summary: 'how far a job is, until it has ended; ^C leaves it running',
    example: 'tidelock jobs watch sales-to-reporting/12',
  }).action(exits(line, (id: string, options: ControlOptions) => watch(line, id, options)));

  const asks = (verb: string, wish: JobWish, summary: string): Command =>
    add({ name: `${verb} <job>`, summary, example: `tidelock jobs ${verb} sales-to-reporting/12` })
      .option('--reason <text>', 'why, for the journal')
      .action(exits(line, (id: string, options: AskOptions) => ask(line, { id, wish }, options)));
  asks('pause', 'pause', 'let a job rest where it is');
  asks('resume', 'run', 'let a job go on that rests or has failed, from where it was').option(
    '--max-load <share>',
    'of a compare or repair: from here on use the databases for this share of the time: 25%',
  );
  asks('cancel', 'cancel', 'end a job; what it has done stays');
}

async function list(line: CommandLine, route: string | undefined, options: ListOptions): Promise<number> {
  await using control = await openControl(line, options);
  const document = await control.jobs({ limit: Number(options.limit), ...(route !== undefined && { route }) });
  if (options.json) writeJson(line, document);
  else if (document.jobs.length === 0) line.out.write('no jobs\n');
  else line.out.write(`${jobsText(document.jobs, terminalColumns(line))}\n`);
  return 0;
}

async function watch(line: CommandLine, id: string, options: ControlOptions): Promise<number> {
  await using control = await openControl(line, options);
  const job = await watchJob(line, control, id, options);
  return job === null ? 130 : await jobResult(line, control, job, options);
}

async function ask(
  line: CommandLine,
  { id, wish }: { readonly id: string; readonly wish: JobWish },
  options: AskOptions,
): Promise<number> {
  await using control = await openControl(line, options);
  const { maxLoad, reason } = options;
  const share = maxLoad === undefined ? {} : { maxLoad: shareOption('--max-load', maxLoad) };
  const job: JobDetail = await control.askJob(parseJobId(id), { wish, ...share }, askedHere(reason));
  if (options.json) writeJson(line, job);
  else line.out.write(`${jobLine(job)}\n`);
  return 0;
}
