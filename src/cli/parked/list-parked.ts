import type { ParkedView } from '../../control/parked/list-parked.ts';
import type { ParkedTable } from '../../core/parked.ts';
import { type CommandLine, writeJson } from '../command-line.ts';
import { type ControlOptions, openControl } from '../open-control.ts';
import { tableText } from '../table-text.ts';
import { terminalColumns } from '../terminal.ts';
import { wrapped } from '../wrapped.ts';

export async function listParked(line: CommandLine, name: string, options: ControlOptions): Promise<number> {
  await using control = await openControl(line, options);
  const document = await control.parked(name);
  if (options.json) writeJson(line, document);
  else if (document.parked.length === 0) line.out.write(`${name}: nothing is parked\n`);
  else line.out.write(`${parkedText(document.parked, terminalColumns(line))}\n`);
  return 0;
}

interface ParkedColumn {
  readonly title: string;
  readonly text: (one: ParkedView) => string;
  /** Goes to a line below its transaction where the terminal is too narrow for all; 2: where it is still too narrow then. */
  readonly low?: 1 | 2;
}

const all: readonly ParkedColumn[] = [
  { title: 'ID>', text: ({ id }) => String(id) },
  { title: 'TRANSACTION>', text: ({ transaction }) => transaction },
  { title: 'POSITION!', text: ({ position }) => position, low: 2 },
  { title: 'COMMITTED (UTC)!', text: ({ committedAt }) => committedAt.slice(0, 19).replace('T', ' ') },
  { title: 'ROWS>', text: ({ rows }) => rows.toLocaleString('en') },
  { title: 'CAUSE!', text: ({ cause }) => cause },
  { title: 'BEHIND>', text: ({ behind }) => (behind === null ? '-' : String(behind)) },
  { title: 'TRIES>', text: ({ attempts }) => String(attempts) },
  { title: 'TABLES', text: ({ tables }) => tablesText(tables), low: 1 },
];

/** What `tidelock parked list` prints. `columns`: as wide as the terminal; null: lines have any length. */
export function parkedText(parked: readonly ParkedView[], columns: number | null): string {
  const table = (chosen: readonly ParkedColumn[]): string[] => {
    const rows = parked.map((one) => chosen.map(({ text }) => text(one)));
    return tableText(
      chosen.map(({ title }) => title),
      rows,
      columns,
    ).split('\n');
  };
  const choices = [0, 1, 2].map((level) => all.filter(({ low = 3 }) => low > level));
  const shown =
    choices.find((choice) => columns === null || table(choice).every((line) => line.length <= columns)) ??
    choices.at(-1) ??
    all;
  const below = all.filter((column) => !shown.includes(column));
  const [head = '', ...lines] = table(shown);
  const text = [head];
  for (const [at, row] of lines.entries()) {
    text.push(row);
    const one = parked[at];
    if (one === undefined) continue;
    const sentences = below.map((column) => column.text(one));
    // What only follows another says nothing of its own.
    if (one.cause !== 'behind') {
      sentences.push(`${one.code} ${causeOf(one)}`);
      if (one.reason !== null) sentences.push(`skipped by ${one.askedBy ?? 'somebody'}: ${one.reason}`);
    }
    for (const sentence of sentences) text.push(...wrapped(sentence, { indent: 2, columns }));
  }
  return text.join('\n');
}

/** What halts a route is told as such; here it went on. */
export function causeOf({ message }: Pick<ParkedView, 'message'>): string {
  return message.replace(/^route \S+ halted: /, '');
}

export function tablesText(tables: readonly ParkedTable[]): string {
  return tables
    .map(({ table, inserts, updates, deletes, truncates }) => {
      const counts = [
        inserts > 0 && `+${inserts}`,
        updates > 0 && `~${updates}`,
        deletes > 0 && `-${deletes}`,
        truncates > 0 && 'truncate',
      ].filter(Boolean);
      return `${table} ${counts.join(' ')}`;
    })
    .join(', ');
}
