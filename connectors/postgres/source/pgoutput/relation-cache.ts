import type { SchemaChange } from '../../../../src/core/change.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../../src/core/table.ts';
import { formatLsn, type Lsn } from '../../lsn.ts';
import type { RelationMessage } from './messages.ts';
import type { TypeNames } from './type-names.ts';

export interface Relation {
  readonly table: TableVersion;
  readonly oid: number;
  /** Part of the route. The others are in a publication that somebody else keeps, or were made since. */
  readonly selected: boolean;
  /** Where its changes begin: transactions whose commit starts before are in the copy that was made of it. */
  readonly from: Lsn | null;
  /** What its first row halts with. */
  readonly refused: Error | null;
}

/** Null for a table that is not part of the route. */
type Carries = (table: TableName, id: string) => { readonly from: Lsn | null; readonly refused?: Error } | null;

/**
 * The tables that the stream has described. The server describes a table once a session and again after anything about
 * it may have changed; here a new version is only made when something has, and the same one is announced again where nothing
 * that the message tells has. The description may come in a transaction that is not passed on, so a version is announced by the
 * first change that is.
 */
export class RelationCache {
  readonly #carries: Carries;
  readonly #types: TypeNames;
  readonly #byOid = new Map<number, Relation>();
  readonly #byName = new Map<string, Relation>();
  readonly #announced = new Map<string, TableVersion>();
  readonly #current = new Set<TableVersion>();
  /** The one that was asked for last: rows of one table come in a row. */
  #last: Relation | null = null;

  constructor(carries: Carries, types: TypeNames) {
    this.#carries = carries;
    this.#types = types;
  }

  describe(message: RelationMessage): void {
    const { schema, name, identity } = message;
    const columns = message.columns.map(({ name, key, modifier, typeOid }) => ({
      name,
      type: this.#types.name(typeOid),
      modifier: this.#types.modifier(typeOid, modifier),
      key,
    }));
    const table: TableVersion = { schema, name, columns, identity };
    const label = tableLabel(table);
    const known = this.#byName.get(label);
    const { oid } = message;
    const version = known && sameDefinition(known.table, table) ? known.table : table;
    const relation = { table: version, oid, ...this.#carried(version, oid) };
    this.#current.delete(relation.table);
    this.#byName.set(label, relation);
    this.#byOid.set(message.oid, relation);
    this.#last = null;
  }

  #carried(table: TableName, oid: number): Pick<Relation, 'selected' | 'from' | 'refused'> {
    const carried = this.#carries(table, String(oid));
    if (carried === null) return { selected: false, from: null, refused: null };
    return { selected: true, from: carried.from, refused: carried.refused ?? null };
  }

  has(oid: number): boolean {
    return this.#byOid.has(oid);
  }

  get(oid: number): Relation {
    if (this.#last?.oid === oid) return this.#last;
    const relation = this.#byOid.get(oid);
    if (relation === undefined) throw new RangeError(`table ${oid} was not described`);
    this.#last = relation;
    return relation;
  }

  /** The change that has to go before the first change of this version, null where it has gone. */
  announce({ table, oid }: Relation, commitLsn: Lsn, seen: string | null): SchemaChange | null {
    // Asked for each row: the set spares it the label.
    if (this.#current.has(table)) return null;
    const label = tableLabel(table);
    const from = this.#announced.get(label) ?? null;
    if (from !== null) this.#current.delete(from);
    this.#announced.set(label, table);
    this.#current.add(table);
    return { kind: 'schemaChange', from, to: table, at: formatLsn(commitLsn), tableId: String(oid), seen };
  }
}

function sameDefinition(a: TableVersion, b: TableVersion): boolean {
  return (
    a.identity === b.identity &&
    a.columns.length === b.columns.length &&
    a.columns.every((column, i) => {
      const other = b.columns[i];
      return (
        other !== undefined &&
        column.name === other.name &&
        column.type === other.type &&
        column.modifier === other.modifier &&
        column.key === other.key
      );
    })
  );
}
