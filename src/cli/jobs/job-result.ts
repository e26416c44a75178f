import type { Control } from '../../control/control.ts';
import { type JobDetail, parseJobId } from '../../control/jobs.ts';
import type { CompareDocument } from '../../operations/compare/compare-document.ts';
import type { LoadDocument } from '../../operations/load/load-job.ts';
import type { RepairDocument, UndoneDocument } from '../../operations/repair/repair-document.ts';
import { type CommandLine, writeJson } from '../command-line.ts';
import { compareText } from '../compare/compare-text.ts';
import { repairText, undoneText } from '../compare/repair-text.ts';
import { loadText } from '../load/load-text.ts';
import { terminalColumns } from '../terminal.ts';
import { jobLine } from './job-text.ts';

export interface ResultOptions {
  readonly json?: boolean;
  readonly showValues?: boolean;
}

/** Prints what has come of a job that has ended or rests. 1 where the answer is no, 2 where it could not be done, 130 where it rests. */
export async function jobResult(
  line: CommandLine,
  control: Control,
  job: JobDetail,
  { json = false, showValues = false }: ResultOptions,
): Promise<number> {
  const { result } = showValues ? await control.job(parseJobId(job.id), { values: true }) : job;
  if (job.state !== 'done' || result === null) {
    if (json) writeJson(line, job);
    const { reason } = job;
    line.err.write(
      `${jobLine(job)}\n${reason === null ? '' : `${reason.code} ${reason.message}\n${reason.remedy ?? ''}\n`}`,
    );
    // Whoever waits for its answer has none.
    return job.state === 'paused' ? 130 : 2;
  }
  if (job.kind === 'compare') {
    const document = result as unknown as CompareDocument;
    if (json) writeJson(line, document);
    else line.out.write(compareText(document, terminalColumns(line)));
    return document.equal ? 0 : 1;
  }
  if (job.kind === 'repair') {
    const document = result as unknown as RepairDocument | UndoneDocument;
    if (json) writeJson(line, document);
    else line.out.write('undone' in document ? undoneText(document) : repairText(document, terminalColumns(line)));
    if ('undone' in document) return document.changed > 0 || Object.keys(document.refused).length > 0 ? 1 : 0;
    return document.equal ? 0 : 1;
  }
  if (json) writeJson(line, result);
  else line.out.write(job.kind === 'load' ? loadText(result as unknown as LoadDocument) : `${jobLine(job)}\n`);
  return 0;
}
