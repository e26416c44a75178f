/** What can be wrong with a value that a type as a whole could carry. docs/types.md tells of each, and of the setting that converts it. */
export const conditions = {
  range: 'the number is beyond what the target holds',
  precision: 'the number has more digits than the target holds',
  special: 'NaN or infinity, which the target does not have',
  nul: 'the text has the character U+0000, which the target does not have',
  charset: 'the text has a character that the target does not have',
  length: 'the value is longer than the target allows',
  blanks: 'the text ends in blanks, which the target does not keep',
  zeroDate: 'the date is none of the calendar (zeros, or a day that its month does not have)',
  dateRange: 'the time is before or behind what the target holds',
  fraction: 'the time has more digits of a second than the target holds',
  timeRange: 'the time is negative or beyond a day',
  json: 'the document is not the same in the form that the target keeps it in',
  member: 'the value is none of the members that the target knows',
  bounds: 'the array does not begin with 1',
  form: 'the text, or the bytes, are not the one form that the value has in this type',
} as const;

export type Condition = keyof typeof conditions;

/** Why a value can't be carried. The message tells nothing of the value. */
export class ValueRefused extends Error {
  readonly condition: Condition;

  constructor(condition: Condition) {
    super(conditions[condition]);
    this.condition = condition;
  }
}
