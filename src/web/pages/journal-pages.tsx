import { useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';
import type { JournalDocument, JournalEntry } from '../api/documents.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { JournalTable } from '../components/journal-table.tsx';
import { freshJournal } from '../state/live.ts';
import { ask } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';

const pageSize = 50;

export interface JournalPagesProps {
  readonly path: string;
  /** Null: of all routes. */
  readonly route: string | null;
}

/** The newest entries, read anew when one comes, and older ones on demand. */
export function JournalPages({ path, route }: JournalPagesProps) {
  const newest = useDocument<JournalDocument>(`${path}?limit=${pageSize}`, { version: freshJournal.value.length });
  const [older, setOlder] = useState<JournalDocument | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const first = newest.document?.journal ?? [];
  const known = new Set(first.map(keyOf));
  const entries = [...first, ...(older?.journal ?? []).filter((entry) => !known.has(keyOf(entry)))];
  const before = older === null ? (newest.document?.before ?? null) : older.before;
  const missing = newest.document?.missing ?? [];

  const readOlder = async (from: string) => {
    try {
      const page = await ask<JournalDocument>(`${path}?limit=${pageSize}&before=${encodeURIComponent(from)}`);
      setError(null);
      setOlder({ ...page, journal: [...(older?.journal ?? []), ...page.journal] });
    } catch (caught) {
      setError(caught instanceof ApiError ? caught : new ApiError(0, { message: String(caught) }));
    }
  };

  if (newest.document === null && newest.error === null) return <p class="empty">Reading…</p>;
  return (
    <>
      {newest.error !== null && (
        <ErrorNotice error={newest.error} what="The journal could not be read." retry={newest.reload} />
      )}
      {missing.map(({ node, reason }) => (
        <p key={node} class="tone-text-warning">
          What {node} keeps of the journal is not among this: {reason.message}
        </p>
      ))}
      <JournalTable
        caption={route === null ? 'Journal' : `Journal of ${route}`}
        entries={entries}
        isWhole={missing.length === 0}
        withRoute={route === null}
      />
      {error !== null && <ErrorNotice error={error} what="No older entries could be read." />}
      {before !== null && (
        <button type="button" class="small" onClick={() => void readOlder(before)}>
          Older entries
        </button>
      )}
    </>
  );
}

function keyOf({ route, id }: JournalEntry): string {
  return `${route} ${id}`;
}
