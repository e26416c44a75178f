import { existsSync } from 'node:fs';

/** Debian's, or the one that TIDELOCK_TEST_CHROMIUM names; null where there is none. */
export function findChromium(): string | null {
  const places = [
    process.env.TIDELOCK_TEST_CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  return places.find((place) => place !== undefined && existsSync(place)) ?? null;
}
