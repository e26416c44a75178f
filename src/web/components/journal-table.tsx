import type { JournalEntry } from '../api/documents.ts';
import { journalFacts } from '../format/journal-facts.ts';
import { hrefOf } from '../state/place.ts';
import { type Column, DataTable } from './data-table.tsx';
import { Moment } from './moment.tsx';

export interface JournalTableProps {
  /** Every target could be asked. */
  readonly isWhole: boolean;
  readonly entries: readonly JournalEntry[];
  /** Left out on a route's own page. */
  readonly withRoute: boolean;
  readonly caption: string;
}

const resultTone: Readonly<Record<string, string>> = { done: 'ok', refused: 'warning', failed: 'critical' };

/** Who asked for what, when, why, and what has come of it. */
export function JournalTable({ entries, withRoute, caption, isWhole }: JournalTableProps) {
  const route: Column<JournalEntry> = {
    title: 'Route',
    minor: true,
    cell: ({ route: name }) => <a href={hrefOf({ page: 'route', route: name, section: 'overview' })}>{name}</a>,
  };
  const columns: readonly Column<JournalEntry>[] = [
    {
      title: 'When',
      cell: (entry) => (
        <>
          <Moment at={entry.at} />
          {withRoute && <span class="sub narrow-only">{route.cell(entry)}</span>}
        </>
      ),
    },
    ...(withRoute ? [route] : []),
    {
      title: 'Action',
      head: true,
      cell: ({ action, result, by }) => (
        <>
          {action}
          <span class="sub narrow-only">
            <Result result={result} /> by {by}
          </span>
        </>
      ),
    },
    { title: 'Result', minor: true, cell: ({ result }) => <Result result={result} /> },
    { title: 'Who', minor: true, cell: ({ by, via }) => `${by} (${via})` },
    { title: 'Why and what', full: true, cell: (entry) => <Story {...entry} /> },
  ];
  return (
    <DataTable
      caption={caption}
      columns={columns}
      rows={entries}
      rowKey={(entry) => `${entry.route} ${entry.id}`}
      empty={isWhole ? 'Nothing was asked for yet.' : 'Nothing else.'}
      stacked
    />
  );
}

function Result({ result }: { readonly result: string }) {
  return <span class={`tone-text-${resultTone[result] ?? 'unknown'}`}>{result}</span>;
}

function Story(entry: JournalEntry) {
  const { reason, code, message } = entry;
  const { facts, plan } = journalFacts(entry);
  return (
    <div class="story">
      {reason !== null && <span>“{reason}”</span>}
      {facts.length > 0 && <span class="muted">{facts.join(', ')}</span>}
      {plan.length > 0 && (
        <ul class="plan-text" aria-label="Plan">
          {plan.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {message !== null && (
        <span>
          {code !== null && <code>{code}</code>} {message}
        </span>
      )}
    </div>
  );
}
