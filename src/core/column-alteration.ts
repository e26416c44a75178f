/** What a statement gives to the rows that were there when it added a column, as it is written. */
export type WrittenDefault =
  /** NULL, or nothing. */
  | { readonly kind: 'none' }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  /** An expression, or a literal that is not read. */
  | { readonly kind: 'other' };

/** What a statement says of a column that it adds, or writes anew. */
export interface WrittenColumn {
  /** The class of its type: two names of one class may be the same type. */
  readonly type: string;
  /** The name of its type, as far as the text gives one: of texts without their collation. Null where it does not. */
  readonly spelled: string | null;
  /** The charset or the collation that is said for it; null where none is. */
  readonly collation: string | null;
  readonly notNull: boolean;
  /** NULL was said. */
  readonly isNull: boolean;
  /** AUTO_INCREMENT. */
  readonly counts: boolean;
  readonly default: WrittenDefault;
  /** Why it can't be followed, in words; null where it can. */
  readonly obstacle: string | null;
}

/**
 * One part of a command that alters a table, of sources whose change queue has commands as text and whose catalogue does not number its columns. Names are
 * those from before the command. `optional`: IF EXISTS, IF NOT EXISTS.
 */
export type ColumnAlteration =
  | { readonly kind: 'add'; readonly name: string; readonly column: WrittenColumn; readonly optional: boolean }
  | { readonly kind: 'drop'; readonly name: string; readonly optional: boolean }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string; readonly optional: boolean }
  | {
      readonly kind: 'modify';
      readonly name: string;
      readonly to: string;
      readonly column: WrittenColumn;
      readonly optional: boolean;
    }
  /** Something else, which may have changed rows or columns: why it can't be followed, in words. */
  | { readonly kind: 'refused'; readonly why: string };

/** The parts of one command that say something of columns; none where it leaves rows and columns alone. */
export type ToldCommand = readonly ColumnAlteration[];
