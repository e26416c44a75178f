import type { RouteDocument } from '../api/documents.ts';
import { ToneSign } from './badge.tsx';
import { Moment } from './moment.tsx';
import { otherConcerns } from './other-concerns.ts';
import { healthTone } from './tone.ts';

/** How long a restart is worth a line of its own. */
const restartShownMs = 3_600_000;

/** Why the health is not ok beside the state, and that the worker was started again not long ago. */
export function Concerns({ route, nowMs }: { readonly route: RouteDocument; readonly nowMs: number }) {
  const { restarted = null, restarts, reason } = route;
  const concerns = otherConcerns(route);
  const isRecent = restarted !== null && nowMs - Date.parse(restarted.at) < restartShownMs;
  const isTold = reason?.message === restarted?.reason.message;
  if (concerns.length === 0 && (!isRecent || isTold)) return null;
  return (
    <section class="concerns" aria-label="Concerns">
      {concerns.map(({ level, code, message, remedy = '', since }) => (
        <div key={`${code} ${since}`} class={`notice tone-${healthTone(level)}`}>
          <ToneSign tone={healthTone(level)} />
          <div>
            <p>
              <code>{code}</code> {message}{' '}
              <span class="muted">
                since <Moment at={since} />
              </span>
            </p>
            {remedy !== '' && <p class="muted">{remedy}</p>}
          </div>
        </div>
      ))}
      {isRecent && !isTold && (
        <div class="notice tone-info">
          <ToneSign tone="info" />
          <div>
            <p>
              Started again at <Moment at={restarted.at} />
              {restarts > 1 && `, restart ${restarts}`}: <code>{restarted.reason.code}</code> {restarted.reason.message}
            </p>
          </div>
        </div>
      )}
    </section>
  );
}
