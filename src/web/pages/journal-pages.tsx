import { useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';
import type { JournalEntry } from '../api/documents.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { JournalTable } from '../components/journal-table.tsx';
import { freshJournal } from '../state/live.ts';
import { ask } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';

const pageSize = 50;

interface JournalDocument {
  readonly journal: readonly JournalEntry[];
}

export interface JournalPagesProps {
  readonly path: string;
  /** Null: of all routes. */
  readonly route: string | null;
}

/** The newest entries, read anew when one comes, and older ones on demand. */
export function JournalPages({ path, route }: JournalPagesProps) {
  const newest = useDocument<JournalDocument>(`${path}?limit=${pageSize}`, { version: freshJournal.value.length });
  const [older, setOlder] = useState<readonly JournalEntry[]>([]);
  const [ended, setEnded] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const first = newest.document?.journal ?? [];
  const known = new Set(first.map(keyOf));
  const entries = [...first, ...older.filter((entry) => !known.has(keyOf(entry)))];

  const readOlder = async () => {
    const last = entries.at(-1);
    if (last === undefined) return;
    // Of all routes: entries of several targets have no common numbers, only times.
    const before = route === null ? last.at : String(last.id);
    try {
      const { journal } = await ask<JournalDocument>(`${path}?limit=${pageSize}&before=${encodeURIComponent(before)}`);
      setError(null);
      setOlder([...older, ...journal]);
      if (journal.length < pageSize) setEnded(true);
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
      <JournalTable
        caption={route === null ? 'Journal' : `Journal of ${route}`}
        entries={entries}
        withRoute={route === null}
      />
      {error !== null && <ErrorNotice error={error} what="No older entries could be read." />}
      {!ended && first.length >= pageSize && (
        <button type="button" class="small" onClick={() => void readOlder()}>
          Older entries
        </button>
      )}
    </>
  );
}

function keyOf({ route, id }: JournalEntry): string {
  return `${route} ${id}`;
}
