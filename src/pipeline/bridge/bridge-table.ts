import { ABSENT, type Cell, type Row, UNCHANGED } from '../../core/cell.ts';
import type { Column, TableVersion } from '../../core/table.ts';
import type { TargetColumn } from '../../core/target.ts';
import { carry } from '../../core/types/carry.ts';
import type { Conversions } from '../../core/types/conversions.ts';
import type { LogicalType } from '../../core/types/logical-type.ts';
import { type Condition, ValueRefused } from '../../core/types/value-refused.ts';
import type { ColumnCodec, VendorTypes } from '../../core/types/vendor-types.ts';

/** Why a value of a column can't be carried. */
export class ColumnRefused extends Error {
  readonly column: string;
  readonly condition: Condition;

  constructor(column: string, { condition, message }: ValueRefused) {
    super(message);
    this.column = column;
    this.condition = condition;
  }
}

/** A mapped table of the source, and the same in the target's types. */
export interface BridgedTable {
  readonly source: TableVersion;
  readonly table: TableVersion;
  /** What can't be carried at all; the rows of such a table are not. */
  readonly refused: readonly {
    readonly column: string;
    readonly source: string;
    readonly target: string;
    readonly reason: string;
  }[];
  /** Columns of the key whose different values may be equal at the target, also where they may be at the source: no two fold alike. */
  readonly coarser: readonly string[];
  /** By name, what is carried. */
  readonly carried: ReadonlyMap<string, CarriedColumn>;
  /** Every value is what it was, and none is looked at. */
  readonly keepsAll: boolean;
  /** As `carry`, of a row that is nobody else's: it is changed. Where it throws some of it is. */
  carryOwn(row: Row): Row;
  /** A row with values as the target has them. Throws a ColumnRefused, or tells `onRefused` of each such value, for which NULL stands then. */
  carry(row: Row, onRefused?: (refused: ColumnRefused) => void): Row;
  /** As `carry`, of the new row of an update whose old one has been carried: what it has kept is carried already. */
  carryAfter(row: Row, before: Row, carried: Row): Row;
}

export interface CarriedColumn {
  readonly from: { readonly column: Column; readonly codec: ColumnCodec };
  readonly to: { readonly column: Column; readonly codec: ColumnCodec };
  /** No conversion of the route can make another value of one. */
  readonly keeps: boolean;
}

interface TableBridge {
  readonly from: VendorTypes;
  readonly to: VendorTypes;
  readonly conversions: Conversions;
  readonly columns: readonly TargetColumn[];
}

type CellCarrier = (value: string | Buffer) => string | Buffer | null;

/** A column that the target does not have keeps its type: the Consumer tells that it is missing. */
export function bridgeTable(
  source: TableVersion,
  { from, to, conversions, columns: there }: TableBridge,
): BridgedTable {
  const refused: { column: string; source: string; target: string; reason: string }[] = [];
  const coarser: string[] = [];
  const carriers: (CellCarrier | null)[] = [];
  const carried = new Map<string, CarriedColumn>();
  const isWhole = source.identity === 'full' && source.columns.every(({ key }) => key);
  const columns = source.columns.map((column): Column => {
    const target = there.find(({ name }) => name === column.name);
    if (target === undefined) {
      carriers.push(null);
      return column;
    }
    const [had, has] = [from.codec(column), to.codec(target)];
    const carrying = carry(had.type, has.type, conversions);
    const keeps = carrying.kind === 'carried' && carrying.converted.length === 0;
    // Of a row that nothing but all of it names one of those that are like it is changed: which of two that have become alike makes no difference.
    const isNamedBy = isWhole ? target.unique === true : column.key;
    if (isNamedBy && (isFolding(has.type) || target.folds === true)) coarser.push(column.name);
    const isKey = isNamedBy && carrying.kind === 'carried' && !carrying.injective;
    if (carrying.kind === 'refused' || isKey) {
      const reason =
        carrying.kind === 'refused' ? carrying.reason : 'it is in the key, and a conversion could make one of two keys';
      refused.push({ column: column.name, source: from.describe(column), target: to.describe(target), reason });
      carriers.push(null);
    } else carriers.push(carrierOf(had, carrying.step, has));
    const { type, modifier, definition } = target;
    const made = {
      name: column.name,
      key: column.key,
      type,
      modifier,
      ...(definition !== undefined && { definition }),
    };
    carried.set(column.name, { from: { column, codec: had }, to: { column: made, codec: has }, keeps });
    return made;
  });
  for (const name of source.owns?.columns ?? []) {
    const column = carried.get(name);
    if (column === undefined || tellsAlike(column)) continue;
    const { from: had, to: has } = column;
    const reason = 'owns reads it, and the two servers would not mean the same rows by what it says';
    refused.push({ column: name, source: from.describe(had.column), target: to.describe(has.column), reason });
  }
  const active = carriers.flatMap((carrier, index) => (carrier === null ? [] : [{ carrier, index }]));
  const carryCell = (carrier: CellCarrier, cell: string | Buffer, index: number): Cell => {
    try {
      return carrier(cell);
    } catch (error) {
      if (!(error instanceof ValueRefused)) throw error;
      throw new ColumnRefused(columns[index]?.name ?? '', error);
    }
  };
  return {
    source,
    table: { ...source, columns },
    refused,
    coarser,
    carried,
    keepsAll: active.length === 0,
    carryOwn: (row) => {
      for (const { carrier, index } of active) {
        const cell = row[index] as Cell;
        if (cell !== null && cell !== UNCHANGED && cell !== ABSENT) row[index] = carryCell(carrier, cell, index);
      }
      return row;
    },
    carry: (row, onRefused) => {
      const made = [...row];
      for (const { carrier, index } of active) {
        const cell = row[index] as Cell;
        if (cell === null || cell === UNCHANGED || cell === ABSENT) continue;
        try {
          made[index] = carryCell(carrier, cell, index);
        } catch (error) {
          if (!(error instanceof ColumnRefused) || onRefused === undefined) throw error;
          onRefused(error);
          made[index] = null;
        }
      }
      return made;
    },
    carryAfter: (row, before, carriedBefore) => {
      const made = [...row];
      for (const { carrier, index } of active) {
        const cell = row[index] as Cell;
        if (cell === null || cell === UNCHANGED || cell === ABSENT) continue;
        made[index] = cell === before[index] ? (carriedBefore[index] as Cell) : carryCell(carrier, cell, index);
      }
      return made;
    },
  };
}

/**
 * A comparison with a constant, as shares and parts of a table are told by, says the same of it at both sides: no other value is made of one, and it is of one
 * kind. A column of numbers without a fraction is one of whole numbers, and one of 16 bytes is one of UUIDs where these are kept there.
 */
export function tellsAlike({ from, to, keeps }: CarriedColumn): boolean {
  const [had, has] = [from.codec.type, to.codec.type];
  if (!keeps) return false;
  if (had.kind === 'integer' && has.kind === 'decimal') return has.digits?.scale === 0;
  if (had.kind === 'uuid' && has.kind === 'bytes') return has.fixed && has.max === 16;
  return had.kind === has.kind;
}

function isFolding(type: LogicalType): boolean {
  return type.kind === 'text' && (type.folds || type.padded);
}

/** Null where the forms are the same and nothing is checked. */
export function carrierOf(
  { toCanonical, form }: ColumnCodec,
  step: ((value: string | Buffer) => string | Buffer | null) | null,
  { fromCanonical, form: formThere }: ColumnCodec,
): CellCarrier | null {
  if (step === null && ((toCanonical === null && fromCanonical === null) || (form !== undefined && form === formThere)))
    return null;
  return (value) => {
    const canonical = toCanonical === null ? value : toCanonical(value);
    const carried = step === null ? canonical : step(canonical);
    return carried === null || fromCanonical === null ? carried : fromCanonical(carried);
  };
}
