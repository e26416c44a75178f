import type { ConfiguredTransform } from '../src/core/table-mapping.ts';

/** The replica that keeps everything: deletes and truncates do nothing, an insert replaces the kept row of its key. */
export function keepAll(): ConfiguredTransform {
  return {
    name: 'keepAll',
    columns: [],
    bind: ({ columns }) => ({
      kind: 'operations',
      columns,
      rules: [],
      dropped: new Set(),
      kept: { mark: null },
    }),
  };
}
