import type { PortableExpression } from '../portable-expression.ts';
import type { NodeType } from '../route.ts';
import type { ColumnSchema, SqlText } from '../table-schema.ts';
import type { LogicalType } from './logical-type.ts';
import type { NativeValue } from './vendor-types.ts';

/** A column's type as DDL has it. */
export type MadeType = Pick<ColumnSchema, 'type' | 'modifier' | 'collation'> & { readonly typeText: string };

export interface TypeUse {
  readonly vendor: NodeType;
  /** A key, an index or a foreign key is over the column. */
  readonly indexed: boolean;
  /** The column counts by itself. */
  readonly counts: boolean;
}

/** How one vendor writes what tables are made of, where the description comes from another one. */
export interface VendorSchema {
  /** Types for these values, the one that a person would take first; which of them carries the values is `carry`'s to say. */
  typesFor(type: LogicalType, use: TypeUse): readonly MadeType[];
  /** Null where it says what not all databases can say. */
  read(text: SqlText): PortableExpression | null;
  write(expression: PortableExpression): SqlText;
  /** As the default of a column of this type. */
  writeDefault(value: DefaultValue, type: MadeType): SqlText | null;
  /** Of a literal, in the form of the source's values; null where it is none. */
  valueOfLiteral(literal: Extract<PortableExpression, { kind: 'literal' }>, type: LogicalType): NativeValue | null;
  /** A table has one column that counts by itself at most, and an index begins with it. */
  readonly countsByIndex: boolean;
  readonly indexes: {
    /** An index over all of a long text has to be one over its beginning, of so many characters. */
    prefixOf(type: MadeType): number | null;
    /** Over an expression. */
    functional(vendor: NodeType): boolean;
    /** Names are told apart by schema, and a primary key has one. */
    readonly primaryName: string;
    /** Unique ones are constraints. */
    readonly uniqueIsConstraint: boolean;
    /** The beginning of a column as an expression; null where an element has a length. */
    prefix(column: string, length: number, type: LogicalType): SqlText | null;
  };
}

export type DefaultValue =
  | { readonly kind: 'value'; readonly value: NativeValue }
  | { readonly kind: 'made'; readonly what: 'now' | 'today' | 'uuid' };
