import type { ConfiguredTransform, RowOperation } from '../src/core/table-mapping.ts';

/** Keeps operations from travelling. What they would have done is never made up for later. */
export function dropOperation(operations: readonly RowOperation[]): ConfiguredTransform {
  return {
    name: 'dropOperation',
    isTotal: true,
    columns: [],
    bind: ({ columns }) => ({ kind: 'operations', columns, rules: [], dropped: new Set(operations), kept: null }),
  };
}
