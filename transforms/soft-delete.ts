import type { ConfiguredTransform } from '../src/core/table-mapping.ts';

export interface SoftDeleteOptions {
  /** Column at the target that the source does not have. */
  readonly column: string;
  readonly type: string;
  /** Its value in a row that the source has deleted. */
  readonly deleted: string | null;
  /** Its value in a row that is there. */
  readonly there: string | null;
}

/** A delete marks the row at the target; an insert of the same key replaces the marked row. */
export function softDelete({ column, type, deleted, there }: SoftDeleteOptions): ConfiguredTransform {
  return {
    name: 'softDelete',
    columns: [column],
    bind({ columns }) {
      const index = columns.length;
      return {
        kind: 'operations',
        columns: [...columns, { name: column, type, modifier: -1, key: false }],
        rules: [{ index, reads: [], injective: false, compute: () => there }],
        dropped: new Set(),
        kept: { mark: { index, value: deleted } },
      };
    },
  };
}
