import { createHash } from 'node:crypto';
import { ABSENT, type Cell, type Row, UNCHANGED } from '../core/cell.ts';
import type { Change } from '../core/change.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { TableSelection } from '../core/route.ts';
import type { StoredTable } from '../core/route-state-store.ts';
import { type Column, type TableVersion, tableLabel } from '../core/table.ts';
import type { TableDefinition } from '../core/table-facts.ts';
import type { ConfiguredTransform, MappedTable } from '../core/table-mapping.ts';

/** One version of a source table, bound to what becomes of it: names at the target, columns that travel, transforms. */
export interface TableBinding {
  readonly source: TableVersion;
  readonly mapped: TableVersion;
  /** Source indexes of the columns that travel, null where all do. */
  readonly kept: readonly number[] | null;
  /** By source index; null where nothing is transformed. */
  readonly transforms: readonly { readonly index: number; readonly apply: (value: Cell) => Cell }[] | null;
}

/** Replaces source tables by mapped ones in the changes that pass, in place. Compiled once per table version. */
export class TableMapper {
  readonly #route: string;
  readonly #selection: TableSelection;
  readonly #bindings = new Map<TableVersion, TableBinding>();
  /** What the catalogue has told and the queue does not. */
  readonly #generated = new Map<string, readonly string[]>();

  /** By source label: see `adjust`. */
  readonly #adjustments = new Map<string, ColumnAdjustment>();

  constructor(route: string, selection: TableSelection) {
    this.#route = route;
    this.#selection = selection;
  }

  bind(source: TableVersion): TableBinding {
    let binding = this.#bindings.get(source);
    if (binding === undefined) {
      const configured = this.#selection.select(source.schema, source.name);
      if (configured === null) throw new RangeError(`${tableLabel(source)} is not part of the route`);
      const label = tableLabel(source);
      const table = adjusted(configured, this.#adjustments.get(label));
      if (source.generated !== undefined) this.#generated.set(label, source.generated);
      binding = bindTable(source, { table, route: this.#route, generated: this.#generated.get(label) ?? [] });
      this.#bindings.set(source, binding);
    }
    return binding;
  }

  /** How a table's columns differ from the configuration since its definition changed. Before its next version is bound. */
  adjust(source: { readonly schema: string; readonly name: string }, adjustment: ColumnAdjustment): void {
    this.#adjustments.set(tableLabel(source), adjustment);
  }

  map(change: Change): void {
    switch (change.kind) {
      case 'insert': {
        const binding = this.bind(change.table);
        change.table = binding.mapped;
        change.after = mapRow(binding, change.after);
        return;
      }
      case 'update': {
        const binding = this.bind(change.table);
        change.table = binding.mapped;
        if (change.before !== null) change.before = mapRow(binding, change.before);
        change.after = mapRow(binding, change.after);
        return;
      }
      case 'delete': {
        const binding = this.bind(change.table);
        change.table = binding.mapped;
        change.before = mapRow(binding, change.before);
        return;
      }
      case 'truncate':
        change.tables = change.tables.map((table) => this.bind(table).mapped);
        return;
      case 'schemaChange':
        change.to = this.bind(change.to).mapped;
        return;
      case 'heartbeat':
    }
  }
}

export interface ColumnAdjustment {
  /** Excluded columns that the source has no more. */
  readonly gone: readonly string[];
  /** Added columns that are left out. */
  readonly ignored: readonly string[];
}

function adjusted(table: MappedTable, adjustment: ColumnAdjustment | undefined): MappedTable {
  if (adjustment === undefined) return table;
  const there = table.excludedColumns.filter((name) => !adjustment.gone.includes(name));
  return { ...table, excludedColumns: [...there, ...adjustment.ignored] };
}

export function mapRow({ kept, transforms }: TableBinding, row: Row): Row {
  if (transforms !== null) {
    for (const { index, apply } of transforms) {
      const cell = row[index];
      if (cell !== undefined && cell !== UNCHANGED && cell !== ABSENT) row[index] = apply(cell);
    }
  }
  return kept === null ? row : kept.map((index) => row[index] ?? null);
}

interface BindingOptions {
  readonly table: MappedTable;
  readonly route: string;
  readonly generated: readonly string[];
}

function bindTable(source: TableVersion, { table, route, generated }: BindingOptions): TableBinding {
  const label = tableLabel(source);
  const known = new Set([...source.columns.map((column) => column.name), ...generated]);
  const named = [
    ...table.excludedColumns,
    ...table.renamedColumns.keys(),
    ...table.transforms.flatMap((t) => t.columns),
  ];
  for (const column of named) {
    if (!known.has(column)) throw fail(routeErrors.columnUnknown, { route, table: label, column });
  }
  const excluded = new Set(table.excludedColumns);
  for (const { name, key } of source.columns) {
    if (key && excluded.has(name) && source.identity !== 'full') {
      throw fail(routeErrors.keyColumnExcluded, { route, table: label, column: name });
    }
  }
  const kept = source.columns.flatMap((column, index) => (excluded.has(column.name) ? [] : [index]));
  const columns = kept.map((index) => renamed(source.columns[index] as Column, table.renamedColumns));
  const twice = columns.find((column, at) => columns.findIndex((other) => other.name === column.name) !== at);
  if (twice) throw fail(routeErrors.columnTwice, { route, table: label, column: twice.name });
  const transforms = table.transforms.flatMap((transform) => bindTransform(transform, source, route));
  return {
    source,
    mapped: {
      schema: table.target.schema,
      name: table.target.name,
      columns,
      identity: source.identity,
      ...(generated.length > 0 && {
        generated: generated
          .filter((name) => !excluded.has(name))
          .map((name) => table.renamedColumns.get(name) ?? name),
      }),
    },
    kept: kept.length === source.columns.length ? null : kept,
    transforms: transforms.length === 0 ? null : transforms,
  };
}

function renamed(column: Column, names: ReadonlyMap<string, string>): Column {
  const name = names.get(column.name);
  return name === undefined ? column : { ...column, name };
}

function bindTransform(transform: ConfiguredTransform, source: TableVersion, route: string) {
  return transform.columns.map((name) => {
    const index = source.columns.findIndex((column) => column.name === name);
    const column = source.columns[index] as Column;
    if (column.key && !transform.injective) {
      throw fail(routeErrors.keyNotInjective, {
        route,
        table: tableLabel(source),
        column: name,
        transform: transform.name,
      });
    }
    return { index, apply: transform.compile(column) };
  });
}

/** What is stored of a table to notice that it changed while the route was away. */
export function storedTable({ source, mapped }: TableBinding, definition: TableDefinition | null): StoredTable {
  const columns = source.columns.map((c) => [c.name, c.type, c.modifier, c.key]);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([source.identity, columns]))
    .digest('hex')
    .slice(0, 32);
  return { source: tableLabel(source), target: tableLabel(mapped), fingerprint, definition };
}
