import { parseDuration } from '../config/units.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail } from '../core/errors/tidelock-error.ts';

/** Milliseconds of an option such as --timeout 60s. */
export function durationOption(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === null) {
    throw fail(configErrors.arguments, { why: `${name} wants a duration such as 60s or 5m, is ${text}` });
  }
  return ms;
}
