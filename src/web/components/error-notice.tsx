import type { ApiError } from '../api/api-error.ts';
import { ToneSign } from './badge.tsx';

/** What could not be read, why, and what to do. */
export function ErrorNotice({
  error,
  what,
  retry,
}: {
  readonly error: ApiError;
  readonly what: string;
  readonly retry?: () => void;
}) {
  return (
    <div class="notice tone-critical" role="alert">
      <ToneSign tone="critical" />
      <div>
        <p>
          <strong>{what}</strong> {error.code !== null && <code>{error.code}</code>} {error.message}
        </p>
        {error.remedy !== null && <p class="muted">{error.remedy}</p>}
        {retry !== undefined && (
          <button type="button" class="small" onClick={retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}
