import type { RowKey } from '../../core/compare-side.ts';
import { keyForm } from '../../core/key-form.ts';
import type { KeyCarrier } from '../../core/target.ts';
import { carry } from '../../core/types/carry.ts';
import type { Conversions } from '../../core/types/conversions.ts';
import type { CanonicalValue, LogicalKind, LogicalType } from '../../core/types/logical-type.ts';
import { ValueRefused } from '../../core/types/value-refused.ts';
import type { NativeValue } from '../../core/types/vendor-types.ts';
import { type CarriedColumn, carrierOf } from './bridge-table.ts';

/** Of these a key's text tells the value. Not of floats, whose digits each server chooses. */
const told: ReadonlySet<LogicalKind> = new Set<LogicalKind>([
  ...(['boolean', 'integer', 'decimal', 'text', 'bytes', 'bits', 'date', 'time', 'timestamp', 'uuid', 'enum'] as const),
]);

/** A year of 0000 is beyond what the type is given, so that it would be taken for one that the source can't have. */
function isTold(type: LogicalType): boolean {
  return told.has(type.kind) && (type.kind !== 'integer' || type.min <= 0n);
}

type TextCarrier = (text: string) => string;

/**
 * Keys of one side as the other side writes them. No value is converted here, so that what it was can be told from what it has become: by the same
 * decision in the other direction. What that refuses the source can't have. `columns`: of the key, in its order. Null where one is not carried, or may be
 * another value there: rows are not told by such a key.
 */
export function carryKeys(columns: readonly (CarriedColumn | null)[], { zone }: Conversions): KeyCarrier | null {
  const conversions = zone === undefined ? {} : { zone };
  const both = columns.map((column) => (column?.keeps === true ? bothWays(column, conversions) : null));
  if (!both.every((one) => one !== null)) return null;
  const carried = (key: RowKey, way: 'there' | 'back'): RowKey | null => {
    try {
      return both.map((one, at) => one[way](key[at] ?? ''));
    } catch (error) {
      if (error instanceof ValueRefused) return null;
      throw error;
    }
  };
  return {
    there: (key) => carried(key, 'there'),
    back: (key) => {
      const back = carried(key, 'back');
      // What is written in another way there than what it would have been made of is not of the source.
      const again = back && carried(back, 'there');
      return again?.every((text, at) => text === key[at]) === true ? back : null;
    },
  };
}

function bothWays(
  { from, to }: CarriedColumn,
  conversions: Conversions,
): { readonly there: TextCarrier; readonly back: TextCarrier } | null {
  if (!isTold(from.codec.type) || !isTold(to.codec.type)) return null;
  const there = carry(from.codec.type, to.codec.type, conversions);
  const back = carry(to.codec.type, from.codec.type, conversions);
  if (there.kind === 'refused' || back.kind === 'refused') return null;
  return { there: textCarrier(from, there.step, to), back: textCarrier(to, back.step, from) };
}

function textCarrier(
  from: CarriedColumn['from'],
  step: ((value: CanonicalValue) => CanonicalValue | null) | null,
  to: CarriedColumn['to'],
): TextCarrier {
  const carrier = carrierOf(from.codec, step, to.codec);
  return (text) => {
    const value = nativeOf(text, from.codec.type);
    return keyForm(carrier === null ? value : carrier(value), to.column);
  };
}

/** A key's text as a value: bytes are in hexadecimal there, and bits without the zeros in front. */
function nativeOf(text: string, type: LogicalType): NativeValue {
  if (type.kind === 'bytes') return Buffer.from(text.slice(2), 'hex');
  return type.kind === 'bits' && type.fixed ? text.padStart(type.max ?? 0, '0') : text;
}
