const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** MB is 10^6 and MiB is 2^20 bytes, as IEC 80000-13 has it. KB is taken for kB. */
const sizeUnits = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

export const durationPattern = /^[0-9]{1,12}(ms|s|m|h|d)$/;
export const sizePattern = /^[0-9]{1,12}(B|[kK]B|MB|GB|TB|KiB|MiB|GiB|TiB)$/;

/** Milliseconds; null where the text is no duration with a unit, or too long to count exactly. */
export function parseDuration(text: string): number | null {
  return parseQuantity(text, durationPattern, durationUnits);
}

/** Bytes; null where the text is no size with a unit, or too large to count exactly. */
export function parseSize(text: string): number | null {
  return parseQuantity(text, sizePattern, sizeUnits);
}

function parseQuantity(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number | null {
  const unit = pattern.exec(text)?.[1];
  const factor = unit === undefined ? undefined : units[unit];
  if (unit === undefined || factor === undefined) return null;
  const value = Number(text.slice(0, -unit.length)) * factor;
  return Number.isSafeInteger(value) ? value : null;
}
