import { words } from '../format/words.ts';
import { healthTone, stateTone, type Tone } from './tone.ts';

const shapes: Readonly<Record<Tone, string>> = {
  ok: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm-1 9L4 8l1-1 2 2 4-4 1 1-5 5Z',
  busy: 'M8 2a6 6 0 1 0 6 6h-2a4 4 0 1 1-4-4V2Z',
  info: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM7.2 4.5h1.6v1.6H7.2V4.5Zm0 2.7h1.6v4.3H7.2V7.2Z',
  warning: 'M8 1.5 15 14H1L8 1.5ZM7.2 6v4h1.6V6H7.2Zm0 5v1.6h1.6V11H7.2Z',
  critical:
    'M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5L5 1.5Zm.3 4.800L7 8l-1.700 1.700 1 1L8 9l1.700 1.700 1-1L9 8l1.700-1.700-1-1L8 7 6.3 5.3l-1 1Z',
  rest: 'M4 3h3v10H4V3Zm5 0h3v10H9V3Z',
  unknown: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z',
};

/** A sign with a shape of its own for each tone: colour alone tells nothing. */
export function ToneSign({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`sign tone-${tone}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={shapes[tone]} fill-rule="evenodd" />
    </svg>
  );
}

export function StateBadge({ state, health }: { readonly state: string; readonly health?: string }) {
  const tone = stateTone(state);
  const shown = health !== undefined && tone !== 'critical' && healthTone(health) === 'critical' ? 'critical' : tone;
  return (
    <span class={`badge tone-${shown}`}>
      <ToneSign tone={shown} />
      {words(state)}
    </span>
  );
}

export function HealthBadge({ health }: { readonly health: string }) {
  const tone = healthTone(health);
  return (
    <span class={`health tone-${tone}`}>
      <ToneSign tone={tone} />
      {health}
    </span>
  );
}
