import type { Column } from '../table.ts';
import type { CanonicalValue, LogicalType } from './logical-type.ts';

/** What a value is in the form that one vendor's source delivers and its target takes: text, or a Buffer. */
export type NativeValue = string | Buffer;

/** How one vendor's column is understood. */
export interface ColumnCodec {
  readonly type: LogicalType;
  /** Null where the forms are the same. Throws a ValueRefused where there is no canonical form. */
  readonly toCanonical: ((value: NativeValue) => CanonicalValue) | null;
  /** Null where the forms are the same. The text is the one that the server itself would show. */
  readonly fromCanonical: ((value: CanonicalValue) => NativeValue) | null;
  /** Columns of whatever vendor whose codecs have the same name here write each value that both can hold alike. */
  readonly form?: string;
}

/** A vendor's types, as canonical ones. */
export interface VendorTypes {
  /** Types of two vendors of one family need no translation. */
  readonly family: string;
  codec(column: Pick<Column, 'type' | 'modifier' | 'definition'>): ColumnCodec;
  /** For messages. */
  describe(column: Pick<Column, 'type' | 'modifier' | 'definition'>): string;
}
