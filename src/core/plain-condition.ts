/** What a condition of the route's language compares: by which rule, whatever the column's own type is called. */
export type PlainKind =
  | 'number'
  | 'float'
  | 'text'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'bytes';

export type PlainSign = '=' | '<>' | '<' | '<=' | '>' | '>=';

/**
 * A condition that says no more than what any SQL database can be asked with the same answer: columns beside constants. Three-valued, as in SQL.
 */
export type PlainCondition =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly PlainCondition[] }
  | { readonly kind: 'not'; readonly operand: PlainCondition }
  | { readonly kind: 'isNull'; readonly column: string }
  | {
      readonly kind: 'comparison';
      readonly column: string;
      /** What is left of the column's value after a division by this whole number is compared; null: the value. */
      readonly divisor: string | null;
      /** Texts are equal where all of their characters are. */
      readonly of: PlainKind;
      readonly sign: PlainSign;
      /** `number`: digits; `float`: as JavaScript writes it; `boolean`: t or f; times in ISO 8601, of UTC; `bytes`: hexadecimal digits. */
      readonly constant: string;
      /** A NULL is a value that is another one than the constant, as in IS DISTINCT FROM. */
      readonly nullCounts: boolean;
    };
