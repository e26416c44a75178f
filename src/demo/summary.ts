import type { Stage } from './stage.ts';
import { milliseconds, number } from './texts.ts';
import type { TableVerdict } from './verdict.ts';

export interface Recovery {
  readonly workerPid: number;
  /** From the kill until a later change was at the target. */
  readonly ms: number;
}

export interface DemoResult {
  readonly equal: boolean;
  readonly tables: readonly TableVerdict[];
  /** `tidelock compare`, where it knows both sides: while the clients wrote, at the end, and whether that is what the plain comparer has found. */
  readonly compare: { readonly meanwhile: boolean; readonly equal: boolean; readonly agrees: boolean } | null;
  readonly recovery: Recovery;
  /** Reads at the target in between, and how many of them did not add up. */
  readonly bank: { readonly reads: number; readonly wrong: number };
  /** Committed by the clients. */
  readonly transactions: number;
  readonly rows: number;
  readonly highestLagMs: number;
}

/** Whether everything that the demo promises has held. */
export function passed(result: DemoResult): boolean {
  const { equal, compare, bank } = result;
  const isCompared = compare === null || (compare.meanwhile && compare.equal && compare.agrees);
  return equal && isCompared && bank.wrong === 0 && bank.reads > 0;
}

export function resultJson(result: DemoResult): object {
  return { version: 1, passed: passed(result), ...result };
}

export function resultText(result: DemoResult): string {
  const { recovery, bank, tables, compare } = result;
  const cells = tables.map(({ name, ...counts }) => [
    name,
    ...[counts.rows, counts.equal, counts.missing, counts.extra, counts.different].map(number),
  ]);
  const heads = ['table', 'rows', 'equal', 'missing', 'extra', 'differ'];
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    ` ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ')}`;
  const wrong = bank.wrong === 0 ? 'the bank added up in each' : `the bank was WRONG in ${bank.wrong}`;
  return [
    line(heads),
    ...cells.map(line),
    '',
    ` ${number(result.transactions)} transactions, ${number(result.rows)} row changes, lag at most ${milliseconds(result.highestLagMs)}`,
    ` ${number(bank.reads)} reads at the target meanwhile: ${wrong}`,
    ...(compare === null ? [] : [compareText(compare)]),
    ` worker ${recovery.workerPid} killed, recovered after ${milliseconds(recovery.ms)}`,
    '',
    result.equal ? 'EQUAL: every row is at the target, once, as it has to be.' : 'NOT EQUAL: see the counts above.',
    '',
  ].join('\n');
}

function compareText(compare: NonNullable<DemoResult['compare']>): string {
  return ` "tidelock compare": ${compare.meanwhile ? 'equal' : 'NOT equal'} while the clients wrote, ${compare.equal ? 'equal' : 'NOT equal'} at the end${compare.agrees ? ', as the plain comparer says' : '; the plain comparer says OTHERWISE'}`;
}

/** What --keep leaves, and how to get rid of it. */
export function keptText(stage: Stage): string {
  const { source, target, configuration, work } = stage;
  return [
    `source         ${source.url}`,
    `target         ${target.url}`,
    `configuration  ${configuration.file}`,
    `engine's log   ${work.path}/engine.log`,
    '',
    'Run the route again with:   tidelock run -c FILE   (it was stopped; the servers were not)',
    `Remove everything with:     kill ${source.pid} ${target.pid}; rm -rf ${work.path}`,
    '',
  ].join('\n');
}
