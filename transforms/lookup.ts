import { TransformFailure } from '../src/core/cell-rule.ts';
import type { ConfiguredTransform } from '../src/core/table-mapping.ts';
import { checkTexts, isPadded, plainText } from '../src/core/text-types.ts';
import { place } from './set.ts';

export interface LookupOptions {
  /** The file's rows by their key. */
  readonly rows: ReadonlyMap<string, Readonly<Record<string, string | null>>>;
  /** Column whose value is looked up, as the source's server writes it. */
  readonly column: string;
  /** Column that is written, text: field of the file. */
  readonly set: ReadonlyMap<string, string>;
  /** What becomes of a value that the file does not have. NULL gives NULL. */
  readonly missing: 'halt' | 'null';
}

/** Puts fields of a keyed file beside a value. */
export function lookup({ rows, column, set, missing }: LookupOptions): ConfiguredTransform {
  return {
    name: 'lookup',
    columns: [column, ...set.keys()],
    bind(layout) {
      const from = layout.indexOf(column);
      const type = layout.columns[from]?.type ?? '';
      checkTexts('lookup', { name: column, type });
      const padded = isPadded(type);
      const columns = [...layout.columns];
      const rules = [...set].map(([name, field]) => ({
        index: place(columns, name, plainText),
        reads: [from],
        injective: false,
        compute(row: readonly unknown[]): string | null {
          const value = row[from];
          if (value === null) return null;
          if (typeof value !== 'string') throw new TransformFailure(`the value of ${column} is no text`);
          const found = rows.get(padded ? value.replace(/ +$/, '') : value);
          if (found !== undefined) return found[field] ?? null;
          if (missing === 'halt') throw new TransformFailure(`the file has no row for the value of ${column}`);
          return null;
        },
      }));
      return { kind: 'cells', columns, rules };
    },
  };
}
