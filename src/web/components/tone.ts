import type { RouteDocument } from '../api/documents.ts';

/** How good or bad something is, for colour and sign; never told by colour alone. */
export type Tone = 'ok' | 'busy' | 'info' | 'warning' | 'critical' | 'rest' | 'unknown';

const ofState: Readonly<Record<string, Tone>> = {
  running: 'ok',
  starting: 'busy',
  loading: 'busy',
  catchingUp: 'busy',
  retrying: 'warning',
  standby: 'rest',
  paused: 'rest',
  stopped: 'rest',
  fenced: 'critical',
  failed: 'critical',
};

const ofHealth: Readonly<Record<string, Tone>> = { ok: 'ok', warning: 'warning', critical: 'critical' };

export function stateTone(state: string): Tone {
  return ofState[state] ?? 'unknown';
}

export function healthTone(health: string): Tone {
  return ofHealth[health] ?? 'unknown';
}

/** Of the route as a whole: its health, and where that is well what it does. */
export function routeTone({ state, health }: RouteDocument): Tone {
  const tone = healthTone(health);
  if (tone === 'critical' || tone === 'warning') return tone;
  return stateTone(state) === 'unknown' ? tone : stateTone(state);
}

const severity: readonly Tone[] = ['critical', 'warning', 'unknown', 'busy', 'rest', 'info', 'ok'];

/** What wants a person first. */
export function bySeverity(a: RouteDocument, b: RouteDocument): number {
  return severity.indexOf(routeTone(a)) - severity.indexOf(routeTone(b)) || a.name.localeCompare(b.name, 'en');
}

export function worstTone(tones: readonly Tone[]): Tone {
  return severity.find((tone) => tones.includes(tone)) ?? 'unknown';
}

/** Whether changes can flow through it now. */
export function isFlowing(state: string): boolean {
  return state === 'running' || state === 'catchingUp' || state === 'loading';
}
