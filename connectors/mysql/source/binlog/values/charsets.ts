import { type DecodeText, knownCharsets } from './text-decoder.ts';

export interface Collation {
  readonly name: string;
  readonly charset: string;
  /** Bytes of the charset's longest character. */
  readonly maxBytes: number;
  /** Null where a value in this charset can't be told exactly. */
  readonly decode: DecodeText | null;
}

/** The collations of one server, by the ids that its binlog names them with. */
export type Collations = ReadonlyMap<number, Collation>;

export interface CollationRow {
  readonly id: number;
  readonly name: string;
  readonly charset: string;
  readonly maxBytes: number;
}

export function collationsOf(rows: readonly CollationRow[], tables: ReadonlyMap<string, DecodeText>): Collations {
  return new Map(
    rows.map(({ id, name, charset, maxBytes }) => {
      const decode = knownCharsets.get(charset) ?? tables.get(charset) ?? null;
      return [id, { name, charset, maxBytes, decode }];
    }),
  );
}
