import { stripVTControlCharacters } from 'node:util';
import type { Control } from '../../control/control.ts';
import { type JobDetail, parseJobId } from '../../control/jobs.ts';
import { pause } from '../../core/pause.ts';
import type { CommandLine } from '../command-line.ts';
import { jobShown } from './job-shown.ts';
import { jobLine } from './job-text.ts';

const lookMs = 500;
/** Output that nobody looks at as it comes is not filled with it, and what is over sooner tells its result alone. */
const lineMs = 10_000;
const csi = '\u001b[';

/**
 * Tells how far a job is until it has ended or rests, and gives it then. Null where the user leaves (^C): the job goes on.
 * An engine that is not there is told once; the job waits for one.
 */
export async function watchJob(
  line: CommandLine,
  control: Control,
  id: string,
  { json = false }: { readonly json?: boolean },
): Promise<JobDetail | null> {
  const paints = !json && line.err.isTTY === true;
  const colours = line.env.NO_COLOR === undefined;
  let painted = 0;
  let said = '';
  let saidAtMs = performance.now();
  let isWarned = false;
  const wipe = (): string => (painted === 0 ? '' : `${csi}${painted}A${csi}J`);
  for (;;) {
    const job = await control.job(parseJobId(id), { values: false });
    if (isOver(job)) {
      if (paints) line.err.write(wipe());
      return job;
    }
    if (!job.engine && !isWarned) {
      isWarned = true;
      const { route } = job;
      line.err.write(`${id} waits for an engine to have route ${route}: "tidelock run" starts one\n`);
    }
    if (paints) {
      const text = jobShown(job, colours);
      line.err.write(`${wipe()}${text}\n`);
      painted = rowsOf(text, line.err.columns);
    } else if (!json) {
      const text = jobLine(job);
      const nowMs = performance.now();
      if (text !== said && nowMs - saidAtMs >= lineMs) {
        line.err.write(`${text}\n`);
        said = text;
        saidAtMs = nowMs;
      }
    }
    await pause(lookMs, line.signal);
    if (line.signal.aborted) {
      line.err.write(`${id} goes on without this terminal: "tidelock jobs watch ${id}" shows it again\n`);
      return null;
    }
  }
}

/** How many rows of a terminal a text takes there: a line that is wider goes on in the next one. */
export function rowsOf(text: string, columns: number): number {
  const widths = text.split('\n').map((line) => stripVTControlCharacters(line).length);
  return widths.reduce((sum, width) => sum + Math.max(1, columns > 0 ? Math.ceil(width / columns) : 1), 0);
}

/** Whoever has paused a job does not wait for it. */
function isOver({ state }: JobDetail): boolean {
  return ['done', 'failed', 'cancelled', 'paused'].includes(state);
}
