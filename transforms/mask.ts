import { createHmac } from 'node:crypto';
import type { Cell } from '../src/core/cell.ts';
import { configErrors } from '../src/core/errors/catalogue/config.ts';
import { fail } from '../src/core/errors/tidelock-error.ts';
import type { ConfiguredTransform } from '../src/core/table-mapping.ts';

export type MaskOptions = { readonly columns: readonly string[] } & (
  | {
      readonly method: 'hmac';
      /** Called when the transform is bound to a column. */
      readonly key: () => string;
      /** Hexadecimal digits to keep. */
      readonly length: number;
    }
  | { readonly method: 'redact'; readonly with: string }
  | { readonly method: 'null' }
);

const textTypes = new Set(['pg_catalog.text', 'pg_catalog.varchar', 'pg_catalog.bpchar']);

/**
 * Replaces values by others that do not give them away. NULL stays NULL.
 *
 * An HMAC of 32 hexadecimal digits or more is taken as injective, so that it may be used on keys: among n different
 * values two share one with a probability of about n * n / 2^129 (a billion values: 1 in 10^20), and then the
 * target's own unique key halts the route; nothing is overwritten.
 */
export function mask(options: MaskOptions): ConfiguredTransform {
  return {
    name: 'mask',
    columns: options.columns,
    injective: options.method === 'hmac' && options.length >= 32,
    compile(column) {
      if (options.method === 'null') return () => null;
      if (!textTypes.has(column.type))
        throw fail(configErrors.transformType, {
          transform: `mask (${options.method})`,
          column: column.name,
          type: column.type,
          wanted: 'text, varchar and char',
        });
      if (options.method === 'redact') return (value) => (typeof value === 'string' ? options.with : value);
      return hmac(options.key(), options.length, column.type === 'pg_catalog.bpchar');
    },
  };
}

function hmac(key: string, length: number, padded: boolean): (value: Cell) => Cell {
  return (value) => {
    if (typeof value !== 'string') return value;
    // char(n) pads with blanks that count for nothing: the same value must not depend on n.
    const text = padded ? value.replace(/ +$/, '') : value;
    return createHmac('sha256', key).update(text, 'utf8').digest('hex').slice(0, length);
  };
}
