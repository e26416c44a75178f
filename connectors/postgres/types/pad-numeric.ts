import { padDecimal } from '../../../src/core/types/decimal-text.ts';

/** As a column of that scale shows it. */
export function padNumeric(value: string, scale: number): string {
  return /[a-z]/i.test(value) ? value : padDecimal(value, scale);
}
