const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** 80 ms, 4.2 s, 3 min 5 s, 2 h 10 min, 4 d 3 h */
export function duration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return two(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** How long something lasts already: 8 s, 3 min, 2 h 10 min. */
export function lasting(ms: number): string {
  if (ms < 1000) return 'a moment';
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : duration(Math.floor(ms / 60_000) * 60_000);
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** 14:03:11 today, 20 Nov 14:03:11 on other days; in the reader's own time zone. */
export function moment(at: number, now = Date.now()): string {
  const date = new Date(at);
  const time = clock.format(date);
  return date.toDateString() === new Date(now).toDateString() ? time : `${day.format(date)} ${time}`;
}

/** 2026-11-20 13:03:11 UTC */
export function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** 2h, 30m, 90s and sums of them (1h30m) in milliseconds; null where it is none. */
export function parseDuration(text: string): number | null {
  const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const trimmed = text.trim().toLowerCase();
  if (!/^(\d+\s*(s|m|h|d)\s*)+$/.test(trimmed)) return null;
  let ms = 0;
  for (const [, number = '', unit = ''] of trimmed.matchAll(/(\d+)\s*([smhd])/g))
    ms += Number(number) * (units[unit] ?? 0);
  return ms > 0 ? ms : null;
}
