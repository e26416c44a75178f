import { duration } from '../format/times.ts';
import { now } from '../state/clock.ts';
import { liveness, problem, reconnectNow } from '../state/live.ts';
import { Moment } from './moment.tsx';

/** Whether the numbers are those of now. */
export function LiveIndicator() {
  const state = liveness.value;
  if (state.kind === 'live')
    return (
      <span class="live is-live">
        <span class="dot" aria-hidden="true" />
        Live
      </span>
    );
  if (state.kind === 'connecting')
    return (
      <span class="live">
        <span class="dot" aria-hidden="true" />
        Connecting…
      </span>
    );
  return (
    <span class="live is-cut" title={state.why}>
      <span class="dot" aria-hidden="true" />
      <span>
        Not live since <Moment at={state.since} />
      </span>
      <button type="button" class="small" onClick={reconnectNow}>
        Retry now
      </button>
    </span>
  );
}

/** Above what is old because the service itself can't ask: why, and what to do. */
export function ProblemNotice() {
  const found = problem.value;
  if (found === null) return null;
  return (
    <p class="cut-notice" role="status">
      The service can’t tell the status: <code>{found.code}</code> {found.message} {found.remedy}
    </p>
  );
}

/** Above what is old: why, and when it is tried again. */
export function CutNotice() {
  const state = liveness.value;
  if (state.kind !== 'cut') return null;
  const inMs = state.retryAt - now.value;
  return (
    <p class="cut-notice">
      What is shown is as of <Moment at={state.since} />, not live: {state.why.replace(/\.$/, '')}.{' '}
      {inMs > 500 ? `Next try in ${duration(Math.ceil(inMs / 1000) * 1000)}.` : 'Trying again…'}
    </p>
  );
}
