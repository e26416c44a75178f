import { createHash } from 'node:crypto';
import type { Row } from '../core/cell.ts';
import {
  type Change,
  isRowChange,
  type RowChange,
  type ShareTest,
  type TableShare,
  type TruncateChange,
} from '../core/change.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { transformErrors } from '../core/errors/catalogue/transform.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { PackedInserts } from '../core/packed-inserts.ts';
import { packedInserts } from '../core/packed-part.ts';
import type { Position } from '../core/position.ts';
import type { TableSelection } from '../core/route.ts';
import type { StoredTable } from '../core/route-state-store.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import type { TableDefinition } from '../core/table-facts.ts';
import type { MappedTable } from '../core/table-mapping.ts';
import type { OnRefused } from '../core/target.ts';
import type { TransactionPart } from '../core/transaction.ts';
import { namedKeys } from './judge-definition.ts';
import { bindTable } from './mapping/bind-table.ts';
import { IncompleteRow, isPlain, isUntouched, mapAny, mapInPlace } from './mapping/map-change.ts';
import { mapRows, OutsideShare, StepFailure } from './mapping/map-rows.ts';
import { shareOf } from './mapping/share-of.ts';
import type { MappedRow, TableBinding } from './mapping/table-binding.ts';

interface Bound {
  readonly binding: TableBinding;
  readonly isPlain: boolean;
}

/** Makes of source changes what the route says. Compiled once per table version. */
export class TableMapper {
  readonly #route: string;
  readonly #selection: TableSelection;
  readonly #bound = new Map<TableVersion, Bound>();
  /** What the catalogue has told and the queue does not. */
  readonly #generated = new Map<string, readonly string[]>();
  readonly #uniqueKeys = new Map<string, NonNullable<TableVersion['uniqueKeys']>>();
  /** Source table by target table: a target that two of them write would lose rows. */
  readonly #sources = new Map<string, string>();

  /** By source label: see `adjust`. */
  readonly #adjustments = new Map<string, ColumnAdjustment>();

  constructor(route: string, selection: TableSelection) {
    this.#route = route;
    this.#selection = selection;
  }

  /** How a table's columns differ from the configuration since its definition changed. Before its next version is bound. */
  adjust(source: { readonly schema: string; readonly name: string }, adjustment: ColumnAdjustment): void {
    this.#adjustments.set(tableLabel(source), adjustment);
    // The queue tells only of those that begin or cease to travel.
    if (adjustment.generated !== undefined)
      this.#generated.set(
        tableLabel(source),
        adjustment.generated.map(({ name }) => name),
      );
    const keys = adjustment.columns && namedKeys({ ...adjustment, columns: adjustment.columns });
    if (keys !== undefined) this.#uniqueKeys.set(tableLabel(source), keys);
  }

  bind(source: TableVersion): TableBinding {
    return this.#bind(source).binding;
  }

  /**
   * The part as the target is to see it: the same, mapped in place, where each change stays one. A change for which
   * there is no value travels as it came: it halts, or is set aside, in its turn.
   */
  map(part: TransactionPart): TransactionPart {
    const inserts = packedInserts(part);
    if (inserts !== null && this.#mapUntouched(inserts)) return part;
    const { changes } = part;
    let made: Change[] | null = null;
    let unmapped: TidelockError | null = null;
    for (let at = 0; at < changes.length; at++) {
      const change = changes[at] as Change;
      if (change.kind === 'schemaChange') change.to = this.bind(change.to).tables[0];
      if (!isMapped(change) || (isRowChange(change) && this.#mapInPlace(change))) {
        made?.push(change);
        continue;
      }
      made ??= changes.slice(0, at);
      const asItCame = this.#canFail(change) ? copyOf(change) : change;
      const mark = made.length;
      try {
        this.#append(change, made, positionText(part));
      } catch (error) {
        if (!(error instanceof TidelockError)) throw error;
        unmapped ??= error;
        made.length = mark;
        made.push({ kind: 'unmapped', change: asItCame, tables: this.#targets(asItCame) });
      }
    }
    if (made === null) return part;
    const rows = made.filter((change) => isRowChange(change) || change.kind === 'unmapped').length;
    if (unmapped === null) return { ...part, changes: made, rows };
    const { code, message, remedy, place } = unmapped;
    return { ...part, changes: made, rows, unmapped: { code, message, remedy, place } };
  }

  /** Maps what had no value before. Throws a TidelockError (halt) where it still has none; with `onRefused` such a change is told, and left out. */
  remap(changes: Change[], position: string, onRefused?: OnRefused): Change[] {
    if (!changes.some(({ kind }) => kind === 'unmapped')) return changes;
    const made: Change[] = [];
    for (const change of changes) {
      if (change.kind !== 'unmapped') {
        made.push(change);
        continue;
      }
      const mark = made.length;
      try {
        this.#append(change.change, made, position);
      } catch (error) {
        if (onRefused === undefined || !(error instanceof TidelockError)) throw error;
        made.length = mark;
        onRefused(change);
      }
    }
    return made;
  }

  /** False where somebody has to look into the rows. */
  #mapUntouched(inserts: PackedInserts): boolean {
    const { binding, isPlain } = this.#bind(inserts.table);
    if (!isPlain || binding.canFail || !isUntouched(binding)) return false;
    inserts.table = binding.outputs[0].table;
    return true;
  }

  /** False where it has to be mapped by `#append`. */
  #mapInPlace(change: RowChange): boolean {
    const { binding, isPlain } = this.#bind(change.table);
    if (!isPlain || binding.canFail) return false;
    mapInPlace(binding, change);
    return true;
  }

  #append(change: RowChange | TruncateChange, made: Change[], position: string): void {
    if (change.kind === 'truncate') {
      this.#truncate(change, position);
      if (change.tables.length > 0) made.push(change);
      return;
    }
    const { table } = change;
    const { binding, isPlain } = this.#bind(table);
    try {
      if (!isPlain) {
        mapAny(binding, change, made);
        return;
      }
      mapInPlace(binding, change);
      made.push(change);
    } catch (error) {
      throw this.#failed(error, table, position);
    }
  }

  #canFail(change: RowChange | TruncateChange): boolean {
    return change.kind !== 'truncate' && this.bind(change.table).canFail;
  }

  #targets(change: RowChange | TruncateChange): readonly TableVersion[] {
    const sources = change.kind === 'truncate' ? change.tables : [change.table];
    return [...new Set(sources.flatMap((source) => this.bind(source).tables))];
  }

  /** All rows that a row of a load becomes. */
  rows(binding: TableBinding, row: Row, position: Position): readonly MappedRow[] {
    try {
      return mapRows(binding, row);
    } catch (error) {
      throw this.#failed(error, binding.source, position);
    }
  }

  #bind(source: TableVersion): Bound {
    const known = this.#bound.get(source);
    if (known !== undefined) return known;
    const configured = this.#selection.select(source.schema, source.name);
    const label = tableLabel(source);
    if (configured === null) throw new RangeError(`${label} is not part of the route`);
    const table = adjusted(configured, this.#adjustments.get(label));
    if (source.generated !== undefined) this.#generated.set(label, source.generated);
    if (source.uniqueKeys !== undefined) this.#uniqueKeys.set(label, source.uniqueKeys);
    const binding = bindTable(source, {
      table,
      route: this.#route,
      generated: this.#generated.get(label) ?? [],
      uniqueKeys: this.#uniqueKeys.get(label) ?? null,
    });
    for (const target of binding.tables) this.#claim(label, tableLabel(target));
    const bound = { binding, isPlain: isPlain(binding) };
    this.#bound.set(source, bound);
    return bound;
  }

  #claim(source: string, target: string): void {
    const other = this.#sources.get(target) ?? source;
    if (other !== source)
      throw fail(configErrors.sharedTarget, { route: this.#route, target, sources: [other, source] });
    this.#sources.set(target, source);
  }

  /** Which rows of a shared target table came from the source. Throws (halt) where they do not tell, or no longer. */
  share({ table, source }: TableShare): ShareTest {
    const { binding } = this.#bind(source);
    const place = { route: this.#route, table: tableLabel(source), position: 'a parked transaction' };
    const mapped = binding.tables.find((one) => tableLabel(one) === tableLabel(table));
    const share = mapped === undefined ? null : shareOf(binding, mapped);
    if (share?.kind !== 'some' || JSON.stringify(mapped?.columns) !== JSON.stringify(table.columns))
      throw fail(transformErrors.truncated, { ...place, why: 'it is mapped in another way by now' });
    return share.test;
  }

  #truncate(change: TruncateChange, position: string): void {
    const shares: TableShare[] = [];
    const tables = change.tables.flatMap((source) => {
      const { binding } = this.#bind(source);
      if (binding.dropped.has('truncate')) return [];
      const emptied = binding.tables.filter(({ kept }) => kept === undefined || kept.mark !== null);
      for (const table of emptied) {
        const share = shareOf(binding, table);
        if (share.kind === 'hidden')
          throw fail(transformErrors.truncated, {
            route: this.#route,
            table: tableLabel(source),
            position,
            why: `the rows of ${tableLabel(table)} do not show the column ${share.column}, by which the route tells its own from others`,
          });
        if (share.kind === 'some') shares.push({ table, source });
      }
      return emptied;
    });
    change.tables = tables;
    if (shares.length > 0) change.shares = shares;
  }

  #failed(error: unknown, table: TableVersion, position: string): unknown {
    const place = { route: this.#route, table: tableLabel(table), position };
    if (error instanceof StepFailure)
      return fail(transformErrors.failed, { ...place, transform: error.transform, reason: error.message }, error);
    if (error instanceof OutsideShare) return fail(transformErrors.outsideShare, place, error);
    if (error instanceof IncompleteRow)
      return fail(transformErrors.incompleteRow, { ...place, column: error.column }, error);
    return error;
  }
}

function isMapped(change: Change): change is RowChange | TruncateChange {
  return isRowChange(change) || change.kind === 'truncate';
}

/** Mapping changes rows in place. */
function copyOf(change: RowChange | TruncateChange): RowChange | TruncateChange {
  if (change.kind === 'truncate') return change;
  const { kind, table } = change;
  if (kind === 'insert') return { kind, table, after: [...change.after] };
  if (kind === 'delete') return { kind, table, before: [...change.before] };
  return { kind, table, before: change.before === null ? null : [...change.before], after: [...change.after] };
}

function positionText({ id, commit }: TransactionPart): string {
  return commit === null ? `transaction ${id}` : `${commit.position} (transaction ${id})`;
}

export interface ColumnAdjustment {
  /** Excluded columns that the source has no more. */
  readonly gone: readonly string[];
  /** Added columns that are left out. */
  readonly ignored: readonly string[];
  /** Columns that the source computes, where that is known: they don't travel. */
  readonly generated?: readonly { readonly name: string }[];
  /** What tells rows apart at the source, by ids of these columns, where that is known. */
  readonly uniqueKeys?: TableDefinition['uniqueKeys'];
  readonly columns?: TableDefinition['columns'];
}

function adjusted(table: MappedTable, adjustment: ColumnAdjustment | undefined): MappedTable {
  if (adjustment === undefined) return table;
  const there = table.excludedColumns.filter((name) => !adjustment.gone.includes(name));
  return { ...table, excludedColumns: [...there, ...adjustment.ignored] };
}

/** What is stored of a table to notice that it changed while the route was away. */
export function storedTable(
  { source, tables, outputs }: TableBinding,
  definition: TableDefinition | null,
): StoredTable {
  const columns = source.columns.map((c) => [c.name, c.type, c.modifier, c.key]);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([source.identity, columns]))
    .digest('hex')
    .slice(0, 32);
  const { owns } = outputs[0];
  return {
    source: tableLabel(source),
    target: tables.map(tableLabel).join(', '),
    fingerprint,
    definition,
    ...(owns !== null && { owns }),
  };
}
