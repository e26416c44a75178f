import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';
import { ask } from './session.ts';

export interface LoadedDocument<T> {
  /** The last one that was read of this path; it stays while the next is read, and where that fails. */
  readonly document: T | null;
  readonly error: ApiError | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

/**
 * A document of the service, read again every `everyMs` while the page is seen, and whenever `version` changes. A path
 * of null reads nothing.
 */
export function useDocument<T>(
  path: string | null,
  { everyMs, version = 0 }: { readonly everyMs?: number; readonly version?: unknown } = {},
): LoadedDocument<T> {
  const [state, setState] = useState<{ path: string | null; document: T | null; error: ApiError | null }>({
    path,
    document: null,
    error: null,
  });
  const [loading, setLoading] = useState(path !== null);
  const [turn, setTurn] = useState(0);

  // Version and turn say when to read again.
  useEffect(() => {
    if (path === null) return;
    const ended = new AbortController();
    let isReading = false;
    const read = async () => {
      isReading = true;
      setLoading(true);
      try {
        const document = await ask<T>(path, { signal: ended.signal });
        setState({ path, document, error: null });
      } catch (error) {
        if (ended.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
        setState((before) => ({ path, document: before.path === path ? before.document : null, error: told }));
      }
      isReading = false;
      setLoading(false);
    };
    void read();
    const timer =
      everyMs === undefined
        ? undefined
        : setInterval(() => document.visibilityState === 'visible' && !isReading && void read(), everyMs);
    return () => {
      ended.abort();
      clearInterval(timer);
    };
  }, [path, everyMs, version, turn]);

  const isCurrent = state.path === path;
  return {
    document: isCurrent ? state.document : null,
    error: isCurrent ? state.error : null,
    loading,
    reload: () => setTurn((before) => before + 1),
  };
}
