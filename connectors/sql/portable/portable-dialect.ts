/** How a server writes what all of them can say. */
export interface PortableDialect {
  /** A text between quotes at the beginning, of `n'…'` and `_utf8mb4'…'` too, as a sticky pattern. */
  readonly quoted: RegExp;
  /** What stands between the quotes, as it was meant. */
  unquoted(found: string): string;
  /** Words that call what is made anew for each row, in lower case. */
  readonly made: Readonly<Record<string, 'now' | 'today' | 'uuid'>>;
  /** Functions of characters and numbers, in lower case, by the names that all know. */
  readonly functions: Readonly<Record<string, 'length' | 'lower' | 'upper' | 'abs'>>;
  /** Values may stand in front of `::type`. */
  readonly casts: boolean;
}
