import type { ParkedDocument, ShownChange } from '../../control/parked/show-parked.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { type CommandLine, writeJson } from '../command-line.ts';
import { counted } from '../counted.ts';
import { type ControlOptions, openControl } from '../open-control.ts';
import { terminalColumns } from '../terminal.ts';
import { wrapped } from '../wrapped.ts';
import { causeOf, tablesText } from './list-parked.ts';

export interface ShowOptions extends ControlOptions {
  readonly showValues?: boolean;
  readonly limit: string;
}

const keysShown = 20;

export async function showParked(
  line: CommandLine,
  { route, id }: { readonly route: string; readonly id: string },
  options: ShowOptions,
): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw fail(configErrors.arguments, { why: `--limit wants a number of changes, is ${options.limit}` });
  await using control = await openControl(line, options);
  const values = options.showValues ?? false;
  const document = await control.parkedTransaction(route, id, {
    values,
    limit,
    keys: options.json ? 10_000 : keysShown,
  });
  if (options.json) writeJson(line, document);
  else line.out.write(shownText(document, terminalColumns(line)));
  return 0;
}

/** What `tidelock parked show` prints. `columns`: as wide as the terminal; null: sentences are lines. */
export function shownText(parked: ParkedDocument, columns: number | null): string {
  const sentence = (text: string): string[] => wrapped(text, { indent: 2, columns, hang: 2 });
  const { route, id, transaction, position, cause, code, remedy, reason, askedBy, behind } = parked;
  const { keys, changes } = parked;
  const head = [
    `${route} ${id}: transaction ${transaction} at ${position}, committed ${parked.committedAt}`,
    ...sentence(`${counted(parked.rows, 'row')}: ${tablesText(parked.tables)}`),
    ...sentence(`${cause}: ${code} ${causeOf(parked)}`),
    ...sentence(remedy),
    ...(reason === null ? [] : sentence(`skipped by ${askedBy ?? 'somebody'}: ${reason}`)),
    ...(behind === null ? [] : [`  waits for ${behind}`]),
    '  holds:',
    ...keys.map(
      ({ resource, exclusive, digest }) => `    ${digest ?? 'every value'} ${resource}${exclusive ? '' : ' (shared)'}`,
    ),
    ...(keys.length === keysShown ? ['    ...'] : []),
    '  changes:',
  ];
  const total = parked.tables.reduce((sum, { truncates }) => sum + truncates, parked.rows);
  const more = changes.length < total ? `    ... ${total - changes.length} more, see --limit\n` : '';
  return `${head.join('\n')}\n${changes.map(changeText).join('')}${more}`;
}

function changeText({ change, tables, keys, before, after }: ShownChange): string {
  const lines = [`    ${change} ${tables.join(', ')} ${keys.join(' -> ')}`.trimEnd()];
  if (before !== undefined) lines.push(`      before ${JSON.stringify(before)}`);
  if (after !== undefined) lines.push(`      after  ${JSON.stringify(after)}`);
  return `${lines.join('\n')}\n`;
}
