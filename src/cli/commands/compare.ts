import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Control } from '../../control/control.ts';
import { type JobDetail, parseJobId } from '../../control/jobs.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { CompareDocument } from '../../operations/compare/compare-document.ts';
import { type CommandLine, exits } from '../command-line.ts';
import { compareHtml } from '../compare/compare-html.ts';
import { resumable } from '../compare/resumable.ts';
import { shareOption } from '../compare/share-option.ts';
import { jobResult } from '../jobs/job-result.ts';
import { watchJob } from '../jobs/watch-job.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';

interface CompareOptions extends ControlOptions {
  readonly where?: string;
  readonly since?: string;
  readonly sample?: string;
  readonly maxLoad?: string;
  readonly resume?: boolean;
  readonly showValues?: boolean;
  readonly html?: string;
  readonly reason?: string;
}

export function addCompare(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'compare <route> [tables...]',
    summary: 'whether the tables of both sides are the same, while everything goes on; exit code 1 where they are not',
    example: 'tidelock compare sales-to-reporting public.orders --where "region = \'EU\'"',
  })
    .option('--where <condition>', 'only rows for which it is true, in the names of the source')
    .option('--since <column=time>', 'only rows whose column is not older: updated_at=2026-11-01')
    .option('--sample <share>', 'only so many of all rows, chosen by chunks: 5%')
    .option('--max-load <share>', 'use the databases for this share of the time: 25%')
    .option(
      '--resume',
      "go on with the route's last compare that was paused or has failed, also with another --max-load",
    )
    .option('--show-values', 'the values of rows that differ, too: they may be confidential')
    .option('--html <file>', 'write the result as a page that needs nothing else')
    .option('--reason <text>', 'why, for the journal')
    .action(
      exits(line, (route: string, tables: string[], options: CompareOptions) =>
        compare(line, { route, tables }, options),
      ),
    );
}

interface Asked {
  readonly route: string;
  readonly tables: readonly string[];
}

/** 1 where a row differs or nobody could tell. ^C leaves the job to the engine. */
async function compare(line: CommandLine, asked: Asked, options: CompareOptions): Promise<number> {
  await using control = await openControl(line, options);
  const begun = options.resume ? await resumed(control, asked, options) : await ordered(control, asked, options);
  const job = await watchJob(line, control, begun.id, options);
  if (job === null) return 130;
  if (options.html !== undefined && job.state === 'done') {
    const { result } = await control.job(parseJobId(job.id), { values: options.showValues === true });
    const file = resolve(line.cwd, options.html);
    writeFileSync(file, compareHtml(job, result as unknown as CompareDocument));
    line.err.write(`${file} written\n`);
  }
  return await jobResult(line, control, job, options);
}

function ordered(control: Control, { route, tables }: Asked, options: CompareOptions): Promise<JobDetail> {
  const { where, since, sample, maxLoad, showValues = false, reason } = options;
  const times = since === undefined ? [] : [sinceText(since)];
  // A refusal tells it as it was given.
  const conditions = where === undefined ? times : times.length === 0 ? [where] : [`(${where}\n)`, ...times];
  return control.addJob(
    route,
    {
      kind: 'compare',
      options: {
        tables,
        where: conditions.length === 0 ? null : conditions.join(' and '),
        sample: sample === undefined ? null : shareOption('--sample', sample),
        maxLoad: maxLoad === undefined ? null : shareOption('--max-load', maxLoad),
        showValues,
      },
    },
    askedHere(reason),
  );
}

async function resumed(
  control: Control,
  { route, tables }: Asked,
  { where, since, sample, maxLoad, reason }: CompareOptions,
): Promise<JobDetail> {
  if (tables.length > 0 || [where, since, sample].some((given) => given !== undefined))
    throw fail(configErrors.arguments, {
      why: '--resume goes on with what was asked for: it takes no tables, --where, --since or --sample',
    });
  const share = maxLoad === undefined ? {} : { maxLoad: shareOption('--max-load', maxLoad) };
  const { jobs } = await control.jobs({ route, limit: 1000 });
  const last = resumable(jobs);
  if (last === null) throw fail(configErrors.arguments, { why: `route ${route} has no compare that could be resumed` });
  return await control.askJob(parseJobId(last.id), { wish: 'run', ...share }, askedHere(reason));
}

function sinceText(text: string): string {
  const [, column, time] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (column === undefined || time === undefined)
    throw fail(configErrors.arguments, { why: `--since wants a column and a time, updated_at=2026-11-01, is ${text}` });
  return `"${column.replaceAll('"', '""')}" >= '${time.replaceAll("'", "''")}'`;
}
