import type { Row } from '../../core/cell.ts';
import {
  type Change,
  type InsertChange,
  isRowChange,
  type KnownChange,
  type RowChange,
  type TruncateChange,
  type UpdateChange,
} from '../../core/change.ts';
import { carryErrors } from '../../core/errors/catalogue/carry.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../../core/errors/tidelock-error.ts';
import type { ReplacedPart } from '../../core/load.ts';
import { packedInserts } from '../../core/packed-part.ts';
import { packedAfter, unpackRow } from '../../core/packed-row.ts';
import { type TableName, type TableVersion, type TypeDefinition, tableLabel } from '../../core/table.ts';
import type { TableCarrier, TargetColumn } from '../../core/target.ts';
import type { TransactionPart } from '../../core/transaction.ts';
import type { Conversions } from '../../core/types/conversions.ts';
import type { VendorTypes } from '../../core/types/vendor-types.ts';
import { carryKeys } from './bridge-keys.ts';
import { type BridgedTable, bridgeTable, ColumnRefused, tellsAlike } from './bridge-table.ts';

export interface BridgeOptions {
  readonly route: string;
  readonly from: VendorTypes;
  readonly to: VendorTypes;
  readonly conversions: Conversions;
  /** Columns of a table at the target, with their types; none where there is no such table. */
  columns(table: TableName): Promise<readonly TargetColumn[]>;
}

/**
 * Makes of rows in the source's forms rows in the target's, for routes between vendors: behind the transforms, which see the source's, and in front of the
 * Consumer, which sees tables and values of its own kind only. What the target's columns are is asked for once for each of its tables.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #columns = new Map<string, readonly TargetColumn[]>();
  readonly #tables = new Map<TableVersion, BridgedTable>();
  /** As the Consumer sees them, to what they were made of. */
  readonly #made = new Map<TableVersion, TableVersion>();

  /** What types of the source are made of, by name and modifier: the catalogue tells it and the change queue does not. */
  readonly #definitions = new Map<string, TypeDefinition>();

  /** Tables with their definitions, so that each stays one. */
  #withTypes = new WeakMap<TableVersion, TableVersion>();

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Asks what these tables, as the source's catalogue has them, are at the target; those again that were asked for before. */
  async look(tables: readonly TableVersion[]): Promise<void> {
    for (const { columns } of tables)
      for (const { type, modifier, definition } of columns)
        if (definition !== undefined) this.#definitions.set(`${type} ${modifier}`, definition);
    await this.#ask(tables);
    this.#tables.clear();
    this.#withTypes = new WeakMap();
  }

  /** Asks again what these tables are at the target, where their columns may have other types by now. */
  async renew(tables: readonly TableName[]): Promise<void> {
    const labels = new Set(tables.map(tableLabel));
    await this.#ask([...new Map(tables.map((table) => [tableLabel(table), table])).values()]);
    for (const table of this.#tables.keys()) if (labels.has(tableLabel(table))) this.#tables.delete(table);
  }

  async #ask(tables: readonly TableName[]): Promise<void> {
    for (const table of tables) this.#columns.set(tableLabel(table), await this.#options.columns(table));
  }

  /** Asks what is not known yet. */
  async know(tables: readonly TableName[]): Promise<void> {
    const missing = tables.filter((table) => !this.#columns.has(tableLabel(table)));
    if (missing.length > 0) await this.#ask(missing);
  }

  isKnown(part: TransactionPart): boolean {
    return tablesOf(part).every((table) => this.#tables.has(table) || this.#columns.has(tableLabel(table)));
  }

  /** The table as it is at the target. Throws (halt) where a column can't be carried. */
  table(table: TableVersion): TableVersion {
    return this.#bridged(table).table;
  }

  /** What can't be carried, of each column. */
  refusals(table: TableVersion): readonly TidelockError[] {
    return this.#bridged(table, false).refused.map((refused) => this.#refusal(table, refused));
  }

  /** Columns of the key whose different values may be equal at the target. */
  coarserKeys(table: TableVersion): readonly string[] {
    return this.#bridged(table, false).coarser;
  }

  /**
   * Throws (usage) where a part of these tables, which `names` has the columns of, would not be the same rows at both sides. `tables` are the source's, in the
   * order of `names`.
   */
  demandPart(tables: readonly TableVersion[], { names }: Pick<ReplacedPart, 'names'>): void {
    for (const [at, table] of tables.entries()) {
      const { carried } = this.#bridged(table);
      for (const name of names[at]?.values() ?? []) {
        const column = carried.get(name);
        if (column !== undefined && tellsAlike(column)) continue;
        const { from, to } = this.#options;
        const types =
          column &&
          `${from.describe(column.from.column)} at the source and ${to.describe(column.to.column)} at the target`;
        const problem = `${name} is ${types ?? 'not carried'}: the two servers would not mean the same rows by it`;
        throw fail(routeErrors.loadPart, { route: this.#options.route, table: tableLabel(table), problem });
      }
    }
  }

  /** Rows of a load. */
  rows(table: TableVersion, rows: readonly Row[], position: string): Row[] {
    const bridged = this.#bridged(table);
    return this.#refusing(bridged, position, () => rows.map((row) => bridged.carry(row)));
  }

  /** As `rows`, of rows that are nobody else's, given later: they are changed. Where it throws some of them are. */
  ownRows(table: TableVersion, position: string): (rows: readonly Row[]) => readonly Row[] {
    const bridged = this.#bridged(table);
    return (rows) =>
      this.#refusing(bridged, position, () => {
        for (const row of rows) bridged.carryOwn(row);
        return rows;
      });
  }

  /** For whoever compares rows. Throws (halt) where a column can't be carried at all. */
  carrier(table: TableVersion): TableCarrier {
    const bridged = this.#bridged(table);
    const { conversions } = this.#options;
    return {
      row: (row, onRefused) => bridged.carry(row, ({ column }) => onRefused(column)),
      keeps: (column) => bridged.carried.get(column)?.keeps === true,
      keys: (columns) => {
        const carried = columns.map((name) => bridged.carried.get(name) ?? null);
        return carryKeys(carried, conversions);
      },
    };
  }

  /**
   * The part as the target is to see it. A change with a value that can't be carried travels as it is, and halts in its turn. The part is not to be used any
   * more: its changes take the carried rows in place of their own, which would be in memory beside them until the target has committed.
   */
  part(part: TransactionPart): TransactionPart {
    const inserts = packedInserts(part);
    if (inserts !== null) {
      const bridged = this.#bridged(inserts.table);
      if (bridged.keepsAll) {
        inserts.table = bridged.table;
        return part;
      }
    }
    const { changes } = part;
    if (changes.length === 0) return part;
    const position = part.commit === null ? `transaction ${part.id}` : part.commit.position;
    let { unmapped } = part;
    for (let at = 0; at < changes.length; at++) {
      const change = changes[at] as Change;
      try {
        if (isRowChange(change)) this.#carryChange(change, position);
        else changes[at] = this.change(change, position);
      } catch (error) {
        if (!(error instanceof TidelockError) || !(isRowChange(change) || change.kind === 'truncate')) throw error;
        const { code, message, remedy, place } = error;
        unmapped ??= { code, message, remedy, place };
        const tables = targetsOf(change).map((table) => this.table(table));
        const known = isRowChange(change) && { known: this.#known(change) };
        changes[at] = { kind: 'unmapped', change: this.#described(change), tables, mapped: true, ...known };
      }
    }
    return unmapped === part.unmapped ? part : { ...part, ...(unmapped !== undefined && { unmapped }) };
  }

  /** Rows may be those of other changes, too, where transforms have made several of one: each gets its own. Where one is refused the change is as it was. */
  #carryChange(change: RowChange, position: string): void {
    const bridged = this.#bridged(change.table);
    if (!bridged.keepsAll) {
      if (change.kind === 'delete') change.before = this.#carried(bridged, change.before, position);
      else if (change.kind === 'insert' || change.before === null)
        change.after = this.#carriedAfter(bridged, change, position);
      else {
        const { before, after } = change;
        const carried = this.#carried(bridged, before, position);
        change.after = this.#refusing(bridged, position, () => bridged.carryAfter(after, before, carried));
        change.before = carried;
      }
    }
    change.table = bridged.table;
  }

  #carriedAfter(bridged: BridgedTable, change: InsertChange | UpdateChange, position: string): Row {
    const packed = packedAfter(change);
    if (packed === null) return this.#carried(bridged, change.after, position);
    return this.#refusing(bridged, position, () => bridged.carryOwn(unpackRow(packed)));
  }

  change(change: Change, position: string): Change {
    switch (change.kind) {
      case 'insert': {
        const bridged = this.#bridged(change.table);
        return { kind: 'insert', table: bridged.table, after: this.#carried(bridged, change.after, position) };
      }
      case 'update': {
        const bridged = this.#bridged(change.table);
        const { before: old, after: now } = change;
        const before = old === null ? null : this.#carried(bridged, old, position);
        const after =
          old === null || before === null
            ? this.#carried(bridged, now, position)
            : this.#refusing(bridged, position, () => bridged.carryAfter(now, old, before));
        return { kind: 'update', table: bridged.table, before, after };
      }
      case 'delete': {
        const bridged = this.#bridged(change.table);
        return { kind: 'delete', table: bridged.table, before: this.#carried(bridged, change.before, position) };
      }
      case 'truncate':
        return {
          ...change,
          tables: change.tables.map((table) => this.table(table)),
          ...(change.shares !== undefined && {
            shares: change.shares.map((share) => ({ ...share, table: this.table(share.table) })),
          }),
        };
      case 'unmapped':
        return {
          ...change,
          change: this.#described(change.change),
          tables: change.tables.map((table) => this.table(table)),
        };
      case 'schemaChange':
        return { ...change, to: this.table(change.to) };
      default:
        return change;
    }
  }

  /** What can be told of a row some of whose values have no form. */
  #known(change: RowChange): KnownChange {
    const bridged = this.#bridged(change.table);
    const lacking = new Set<string>();
    const rowOf = (row: Row): Row => bridged.carry(row, ({ column }) => lacking.add(column));
    const { table } = bridged;
    let made: RowChange;
    if (change.kind === 'insert') made = { kind: 'insert', table, after: rowOf(change.after) };
    else if (change.kind === 'delete') made = { kind: 'delete', table, before: rowOf(change.before) };
    else {
      const before = change.before === null ? null : rowOf(change.before);
      made = { kind: 'update', table, before, after: rowOf(change.after) };
    }
    return { change: made, lacking: [...lacking] };
  }

  /** The target's columns have other types by now than this table, which was made for them. */
  isOutdated(table: TableVersion): boolean {
    const columns = this.#columns.get(tableLabel(table)) ?? [];
    return table.columns.some(({ name, type, modifier }) =>
      columns.some((one) => one.name === name && (one.type !== type || one.modifier !== modifier)),
    );
  }

  /** The table before it was bridged. */
  original(table: TableVersion): TableVersion {
    return this.#made.get(table) ?? table;
  }

  #carried(bridged: BridgedTable, row: Row, position: string): Row {
    return this.#refusing(bridged, position, () => bridged.carry(row));
  }

  #refusing<T>({ source }: BridgedTable, position: string, carry: () => T): T {
    try {
      return carry();
    } catch (error) {
      if (!(error instanceof ColumnRefused)) throw error;
      const { column, condition, message: reason } = error;
      throw fail(carryErrors.value, { ...this.#place(source, column), position, condition, reason }, error);
    }
  }

  #bridged(table: TableVersion, mustBeWhole = true): BridgedTable {
    const known = this.#tables.get(table);
    if (known !== undefined && (known.refused.length === 0 || !mustBeWhole)) return known;
    const columns = this.#columns.get(tableLabel(table)) ?? [];
    const bridged = known ?? bridgeTable(this.#defined(table), { ...this.#options, columns });
    this.#tables.set(table, bridged);
    this.#made.set(bridged.table, table);
    const [refused] = bridged.refused;
    if (refused !== undefined && mustBeWhole) throw this.#refusal(table, refused);
    return bridged;
  }

  /** With what the catalogue has told of its types. */
  #defined(table: TableVersion): TableVersion {
    const known = this.#withTypes.get(table);
    if (known !== undefined) return known;
    const columns = table.columns.map((column) => {
      const definition = column.definition ?? this.#definitions.get(`${column.type} ${column.modifier}`);
      return definition === undefined ? column : { ...column, definition };
    });
    const defined = { ...table, columns };
    this.#withTypes.set(table, defined);
    return defined;
  }

  /** For whoever sets it aside, and reads it without having seen the source's catalogue. */
  #described(change: RowChange | TruncateChange): RowChange | TruncateChange {
    if (change.kind === 'truncate') return { ...change, tables: change.tables.map((table) => this.#defined(table)) };
    const table = this.#defined(change.table);
    // What a source gives may read its cells from the log's bytes when it is asked for them: it has no properties to be copied.
    if (change.kind === 'insert') return { kind: 'insert', table, after: change.after };
    if (change.kind === 'delete') return { kind: 'delete', table, before: change.before };
    return { kind: 'update', table, before: change.before, after: change.after };
  }

  #place(table: TableVersion, column: string): { route: string; table: string; column: string } {
    return { route: this.#options.route, table: tableLabel(table), column };
  }

  #refusal(table: TableVersion, { column, ...why }: BridgedTable['refused'][number]): TidelockError {
    return fail(carryErrors.type, { ...this.#place(table, column), ...why });
  }
}

function targetsOf(change: RowChange | TruncateChange): readonly TableVersion[] {
  return change.kind === 'truncate' ? change.tables : [change.table];
}

/** Those that `part` asks for, each once. */
export function tablesOf(part: Pick<TransactionPart, 'changes' | 'chunk' | 'begins'>): readonly TableVersion[] {
  const inserts = packedInserts(part);
  if (inserts !== null) return [inserts.table];
  const { changes, chunk, begins } = part;
  const tables = new Set<TableVersion>();
  let last: TableVersion | null = null;
  for (const change of changes)
    if (isRowChange(change)) {
      if (change.table === last) continue;
      last = change.table;
      tables.add(last);
    } else if (change.kind === 'truncate' || change.kind === 'unmapped')
      for (const table of change.tables) tables.add(table);
    else if (change.kind === 'schemaChange') tables.add(change.to);
  for (const set of chunk?.sets ?? []) tables.add(set.table);
  for (const table of chunk?.empties?.tables ?? []) tables.add(table);
  for (const table of begins?.tables ?? []) tables.add(table);
  return [...tables];
}
