import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';
import { ask } from '../state/session.ts';
import type { Action } from './action.ts';

/** What the service would do, told before it is asked to; `none` where it can't be asked. */
export type Rehearsal =
  | { readonly kind: 'none' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'told'; readonly lines: readonly string[] }
  | { readonly kind: 'refused'; readonly error: ApiError };

/** Asked anew whenever the body is another one. */
export function useRehearsal({ rehearsed, path, method }: Action, body: object): Rehearsal {
  const text = JSON.stringify({ ...body, dryRun: true });
  const [told, setTold] = useState<{ readonly text: string; readonly rehearsal: Rehearsal } | null>(null);
  useEffect(() => {
    if (rehearsed === null) return;
    const ended = new AbortController();
    const take = (rehearsal: Rehearsal) => !ended.signal.aborted && setTold({ text, rehearsal });
    ask<unknown>(path, { method, body: JSON.parse(text) as object, signal: ended.signal }).then(
      (answer) => take({ kind: 'told', lines: rehearsed(answer) }),
      (error: unknown) =>
        take({
          kind: 'refused',
          error: error instanceof ApiError ? error : new ApiError(0, { message: String(error) }),
        }),
    );
    return () => ended.abort();
  }, [text, path, method]);
  if (rehearsed === null) return { kind: 'none' };
  return told?.text === text ? told.rehearsal : { kind: 'asking' };
}
