import { TransformFailure } from '../src/core/cell-rule.ts';
import { columnTransform } from '../src/core/column-transform.ts';
import type { ConfiguredTransform } from '../src/core/table-mapping.ts';
import { checkTexts, isPadded, plainText } from '../src/core/text-types.ts';

export interface MapValuesOptions {
  readonly columns: readonly string[];
  /** Value to value, as the source's server writes them. */
  readonly values: ReadonlyMap<string, string | null>;
  /** What becomes of a value that is not named; NULL is only touched where it is named by `nullTo`. */
  readonly otherwise: 'halt' | 'keep' | 'null';
  readonly nullTo: string | null;
  /** The column becomes text; else the new values are of its type. */
  readonly toText: boolean;
}

/** Replaces values by others of a list: codes by words, words by codes. */
export function mapValues(options: MapValuesOptions): ConfiguredTransform {
  const { columns, values, otherwise, nullTo, toText } = options;
  return columnTransform({
    name: 'mapValues',
    columns,
    injective:
      otherwise !== 'null' &&
      otherwise !== 'keep' &&
      new Set(values.values()).size === values.size &&
      ![...values.values()].includes(null),
    retype: (column) => (toText ? { name: column.name, key: column.key, ...plainText } : column),
    compile({ name, type }) {
      checkTexts('mapValues', { name, type });
      const padded = isPadded(type);
      return (value) => {
        if (value === null) return nullTo;
        if (typeof value !== 'string') throw new TransformFailure('a value is no text');
        const mapped = values.get(padded ? value.replace(/ +$/, '') : value);
        if (mapped !== undefined) return mapped;
        if (otherwise === 'halt') throw new TransformFailure('a value is not in the list');
        return otherwise === 'keep' ? value : null;
      };
    },
  });
}
