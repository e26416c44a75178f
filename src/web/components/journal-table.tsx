import type { JournalEntry } from '../api/documents.ts';
import { duration } from '../format/times.ts';
import { words } from '../format/words.ts';
import { hrefOf } from '../state/location.ts';
import { type Column, DataTable } from './data-table.tsx';
import { Moment } from './moment.tsx';

export interface JournalTableProps {
  readonly entries: readonly JournalEntry[];
  /** Left out on a route's own page. */
  readonly withRoute: boolean;
  readonly caption: string;
}

const resultTone: Readonly<Record<string, string>> = { done: 'ok', refused: 'warning', failed: 'critical' };

/** Who asked for what, when, why, and what has come of it. */
export function JournalTable({ entries, withRoute, caption }: JournalTableProps) {
  const route: Column<JournalEntry> = {
    title: 'Route',
    cell: ({ route: name }) => <a href={hrefOf({ page: 'route', route: name, section: 'overview' })}>{name}</a>,
  };
  const columns: readonly Column<JournalEntry>[] = [
    { title: 'When', cell: ({ at }) => <Moment at={at} /> },
    ...(withRoute ? [route] : []),
    { title: 'Action', head: true, cell: ({ action }) => action },
    {
      title: 'Result',
      cell: ({ result }) => <span class={`tone-text-${resultTone[result] ?? 'unknown'}`}>{result}</span>,
    },
    { title: 'Who', cell: ({ by, via }) => `${by} (${via})` },
    { title: 'Why and what', cell: (entry) => <Story {...entry} /> },
  ];
  return (
    <DataTable
      caption={caption}
      columns={columns}
      rows={entries}
      rowKey={(entry) => `${entry.route} ${entry.id}`}
      empty="Nothing was asked for yet."
    />
  );
}

function Story({ reason, code, message, details }: JournalEntry) {
  const facts = Object.entries(details ?? {}).map(factText);
  return (
    <div class="story">
      {reason !== null && <span>“{reason}”</span>}
      {facts.length > 0 && <span class="muted">{facts.join(', ')}</span>}
      {message !== null && (
        <span>
          {code !== null && <code>{code}</code>} {message}
        </span>
      )}
    </div>
  );
}

/** "for 2 h" of forMs 7200000, "transaction 4711" */
function factText([name, value]: [string, unknown]): string {
  if (name.endsWith('Ms') && typeof value === 'number') return `${words(name.slice(0, -2))} ${duration(value)}`;
  if (value === true) return words(name);
  return `${words(name)} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
}
