const durations = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** As the configuration writes them: powers of 1000. */
const sizes = [
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const;

/** Exactly, as a configuration writes it: 90s, 20ms, 2h. */
export function exactDuration(ms: number): string {
  return exact(ms, durations) ?? `${ms}ms`;
}

/** Exactly, as a configuration writes it: 5GB, 1500MB, 17B. */
export function exactSize(bytes: number): string {
  return exact(bytes, sizes) ?? `${bytes}B`;
}

function exact(value: number, units: readonly (readonly [unit: string, factor: number])[]): string | null {
  const found = units.find(([, factor]) => value !== 0 && value % factor === 0);
  return found === undefined ? null : `${value / found[1]}${found[0]}`;
}

/** About how long: 80 ms, 42 s, 12 min, 2 h 10 min, 4 d 3 h. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 180) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return two([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min']);
  const hours = Math.round(minutes / 60);
  return two([Math.floor(hours / 24), 'd'], [hours % 24, 'h']);
}

function two(...parts: readonly (readonly [value: number, unit: string])[]): string {
  return parts.flatMap(([value, unit]) => (value === 0 ? [] : [`${value} ${unit}`])).join(' ');
}

/** About how much: 17 B, 1.2 kB, 256 MB, 20 GB. */
export function sizeText(bytes: number): string {
  const [unit, factor] = sizes.find(([, of]) => bytes >= of * 0.9995) ?? ['B', 1];
  const value = bytes / factor;
  return `${value < 10 && factor > 1 ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`;
}
