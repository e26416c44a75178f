import { createHmac } from 'node:crypto';
import type { Cell } from '../src/core/cell.ts';
import { columnTransform } from '../src/core/column-transform.ts';
import { configErrors } from '../src/core/errors/catalogue/config.ts';
import { fail } from '../src/core/errors/tidelock-error.ts';
import type { Column } from '../src/core/table.ts';
import type { ConfiguredTransform } from '../src/core/table-mapping.ts';
import { isPadded, isTextType } from '../src/core/text-types.ts';
import { type FakeKind, fakeValue, loadFakes } from './mask/fake-value.ts';
import { keepForm } from './mask/keep-form.ts';

interface Keyed {
  /** Called when the transform is bound to a column. */
  readonly key: () => string;
}

export type MaskOptions = { readonly columns: readonly string[] } & (
  | (Keyed & {
      readonly method: 'hmac';
      /** Hexadecimal digits to keep. */
      readonly length: number;
    })
  | { readonly method: 'redact'; readonly with: string }
  | {
      readonly method: 'partial';
      /** Characters that stay, at the start and at the end; of a text that has no more than these, none stays. */
      readonly keepStart: number;
      readonly keepEnd: number;
      /** Stands for each of the others. */
      readonly with: string;
    }
  | (Keyed & { readonly method: 'form' })
  | (Keyed & { readonly method: 'fake'; readonly kind: FakeKind })
  | { readonly method: 'null' }
);

/**
 * Replaces values by others that do not give them away. NULL stays NULL.
 *
 * An HMAC of 32 hexadecimal digits or more is taken as injective, so that it may be used on keys: among n different
 * values two share one with a probability of about n * n / 2^129 (a billion values: 1 in 10^20), and then the
 * target's own unique key halts the route; nothing is overwritten.
 */
export function mask(options: MaskOptions): ConfiguredTransform {
  return columnTransform({
    name: 'mask',
    isTotal: true,
    columns: options.columns,
    injective: options.method === 'hmac' && options.length >= 32,
    ...(options.method === 'fake' && { prepare: loadFakes }),
    compile(column) {
      if (options.method === 'null') return () => null;
      if (!isTextType(column.type))
        throw fail(configErrors.transformType, {
          transform: `mask (${options.method})`,
          column: column.name,
          type: column.type,
          wanted: 'text, varchar and char',
        });
      const change = changeOf(options, column);
      const padded = isPadded(column.type);
      return (value) => {
        if (typeof value !== 'string') return value;
        return change(padded ? value.replace(/ +$/, '') : value);
      };
    },
  });
}

function changeOf(options: Exclude<MaskOptions, { method: 'null' }>, column: Column): (text: string) => Cell {
  switch (options.method) {
    case 'redact':
      return () => options.with;
    case 'partial':
      return partial(options.keepStart, options.keepEnd, options.with);
    case 'hmac': {
      const { length } = options;
      const key = options.key();
      return (text) => createHmac('sha256', key).update(text, 'utf8').digest('hex').slice(0, length);
    }
    case 'form': {
      const key = options.key();
      return (text) => keepForm(text, key);
    }
    case 'fake': {
      const key = options.key();
      const make = fakeValue(options.kind);
      // What the column has no room for is cut: no value of the source is lost with it.
      const room = column.modifier === -1 ? Number.POSITIVE_INFINITY : column.modifier - 4;
      return (text) => make(createHmac('sha256', key).update(text, 'utf8').digest()).slice(0, room);
    }
  }
}

function partial(keepStart: number, keepEnd: number, by: string): (text: string) => string {
  return (text) => {
    const characters = [...text];
    const hidden = characters.length - keepStart - keepEnd;
    if (hidden <= 0) return by.repeat(characters.length);
    const start = characters.slice(0, keepStart).join('');
    return start + by.repeat(hidden) + characters.slice(keepStart + hidden).join('');
  };
}
