import type { StoredTable } from './route-state-store.ts';
import type { Column } from './table.ts';

/** One change of a target table, with the target's names and the source's types. */
export type SchemaStep =
  | {
      readonly kind: 'add';
      readonly column: Column;
      /** What the rows that are there get, in the source's canonical text; null for NULL. */
      readonly existing: string | null;
    }
  | { readonly kind: 'drop'; readonly column: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  /** The source's column has become this; the target's is widened where it does not hold every value yet. */
  | { readonly kind: 'retype'; readonly column: Column };

/** What a change of a table's definition asks of the target, in the target transaction of the rows around it. */
export interface Evolution {
  readonly steps: readonly SchemaStep[];
  /** Replaces what is stored about the table. */
  readonly stored: StoredTable;
}
