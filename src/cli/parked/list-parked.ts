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

function parkedText(parked: readonly ParkedView[], columns: number | null): string {
  const titles = [
    'ID>',
    'TRANSACTION>',
    'POSITION!',
    'COMMITTED (UTC)!',
    'ROWS>',
    'CAUSE',
    'BEHIND>',
    'TRIES>',
    'TABLES',
  ];
  const rows = parked.map((one) => [
    String(one.id),
    one.transaction,
    one.position,
    one.committedAt.slice(0, 19).replace('T', ' '),
    one.rows.toLocaleString('en'),
    one.cause,
    one.behind === null ? '-' : String(one.behind),
    String(one.attempts),
    tablesText(one.tables),
  ]);
  const [head = '', ...lines] = tableText(titles, rows, columns).split('\n');
  const text = [head];
  for (const [at, row] of lines.entries()) {
    text.push(row);
    const one = parked[at];
    // What only follows another says nothing of its own.
    if (one === undefined || one.cause === 'behind') continue;
    text.push(...wrapped(`${one.code} ${causeOf(one)}`, { indent: 2, columns }));
    if (one.reason !== null)
      text.push(...wrapped(`skipped by ${one.askedBy ?? 'somebody'}: ${one.reason}`, { indent: 2, columns }));
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
