import type { Condition } from './value-refused.ts';

/**
 * What a route may name to have values changed that can't be carried as they are. Each is one word of the route's `convert`; without it
 * the value halts the route.
 */
export interface Conversions {
  /** `round`: half away from zero, to the digits that the target has. */
  readonly precision?: 'round';
  /** NaN and infinities become NULL. */
  readonly special?: 'toNull';
  /** U+0000 is left out of texts. */
  readonly nul?: 'remove';
  /** Characters that the target lacks become question marks. */
  readonly charset?: 'replace';
  /** Texts and bytes are cut behind what fits. */
  readonly length?: 'truncate';
  /** Blanks at the end are left out. */
  readonly blanks?: 'trim';
  readonly zeroDate?: 'toNull';
  readonly dateRange?: 'toNull';
  /** Digits of a second that the target lacks: rounded half up, or cut off. */
  readonly fraction?: 'round' | 'truncate';
  /** JSON is kept as what it means: without blanks, the order of keys, all but the last of repeated ones, and other forms of the same number. */
  readonly json?: 'normalize';
  /** Times without a zone are meant in this one: `UTC`, or a distance from it such as `+02:00`. */
  readonly zone?: string;
}

/** Conditions that a setting of the same name answers. */
export const convertible: ReadonlySet<Condition> = new Set([
  'precision',
  'special',
  'nul',
  'charset',
  'length',
  'blanks',
  'zeroDate',
  'dateRange',
  'fraction',
  'json',
]);
