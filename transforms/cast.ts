import type { Expression } from '../src/core/expression.ts';
import type { ConfiguredTransform } from '../src/core/table-mapping.ts';
import { bindValue, place } from './set.ts';

const integers = ['pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8'];
const exact = [...integers, 'pg_catalog.uuid', 'pg_catalog.date'];

/**
 * Converts columns to other types, by the rules of the expression language: what does not fit fails, a numeric or a
 * time of less precision is rounded since that was asked for by name.
 */
export function cast(conversions: ReadonlyMap<string, Expression>): ConfiguredTransform {
  return {
    name: 'cast',
    columns: [...conversions.keys()],
    bind(layout) {
      const columns = [...layout.columns];
      const rules = [...conversions].map(([name, expression]) => {
        const index = layout.indexOf(name);
        const from = layout.columns[index]?.type ?? '';
        const bound = bindValue(layout, expression);
        place(columns, name, bound);
        return { index, reads: bound.reads, injective: isInjective(from, bound), compute: bound.evaluate };
      });
      return { kind: 'cells', columns, rules };
    },
  };
}

/** Different values stay different, whatever they are. */
function isInjective(from: string, to: { readonly type: string; readonly modifier: number }): boolean {
  if (from === to.type) return to.modifier === -1;
  if (to.modifier !== -1) return false;
  if (to.type === 'pg_catalog.text' || to.type === 'pg_catalog.varchar') return exact.includes(from);
  return integers.includes(from) && [...integers, 'pg_catalog.numeric'].includes(to.type);
}
