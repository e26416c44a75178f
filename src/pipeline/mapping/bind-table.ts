import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { transformErrors } from '../../core/errors/catalogue/transform.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { type Column, type TableVersion, tableLabel } from '../../core/table.ts';
import type {
  BoundTransform,
  MappedTable,
  OperationTransform,
  RowLayout,
  RowOperation,
} from '../../core/table-mapping.ts';
import { bindOutput } from './bind-output.ts';
import { isLogged } from './is-logged.ts';
import { extendLineage, type Lineage, sourceLineage } from './lineage.ts';
import { type MixedValues, mixedValues } from './mixed-values.ts';
import { type RowWay, RowWays } from './row-ways.ts';
import type { Output, Step, TableBinding } from './table-binding.ts';

export interface BindingOptions {
  readonly route: string;
  readonly table: MappedTable;
  /** Generated columns of the source table, as far as they are known: they do not travel. */
  readonly generated: readonly string[];
  /** Columns of each unique index of the source; null where they are not known, or the queue tells its key. */
  readonly uniqueKeys: readonly (readonly string[])[] | null;
}

/** What the chain has come to. */
export interface Chain {
  readonly source: TableVersion;
  readonly route: string;
  readonly columns: readonly Column[];
  readonly lineage: readonly Lineage[];
  /** What tells the rows of one source row apart. */
  readonly rowKeys: readonly string[];
  readonly kept: OperationTransform['kept'];
}

/** Compiles what a route says about a table for one of its versions. Throws (halt) where it can't be done exactly. */
export function bindTable(source: TableVersion, options: BindingOptions): TableBinding {
  const { table, route } = options;
  const label = tableLabel(source);
  const steps: Step[] = [];
  const dropped = new Set<RowOperation>();
  const ways = new RowWays(table.target);
  const fill = new Set<number>();
  const mixed = new Map<string, MixedValues>();
  let kept: OperationTransform['kept'] = null;
  let rowKeys: readonly string[] = [];
  let columns: readonly Column[] = source.columns;
  let lineage = sourceLineage(columns.length);
  const readsAll = new Set<string>();
  let reshapes = false;
  let canFail = false;

  const deciding = (reads: readonly number[], what: string): void => {
    for (const read of reads) {
      const unlogged = lineage[read]?.sources.find((index) => !isLogged(source, index));
      if (unlogged !== undefined) {
        const column = source.columns[unlogged]?.name ?? '';
        throw fail(transformErrors.needsOldValues, { route, table: label, column, what });
      }
    }
  };
  const computed = (bound: Exclude<BoundTransform, { kind: 'rows' }>, name: string): void => {
    if (bound.rules.length > 0) steps.push({ kind: 'cells', name, rules: bound.rules });
    for (const { reads } of bound.rules) {
      if (reads.length < 2) continue;
      const sources = [...new Set(reads.flatMap((read) => lineage[read]?.sources ?? []))];
      for (const index of sources) fill.add(index);
      const unsure = mixedValues(source, name, sources);
      if (unsure !== null) mixed.set(unsure.columns.join(), unsure);
    }
    lineage = extendLineage(lineage, bound.rules, name);
  };

  if (table.where !== null) {
    const condition = table.where.bind({ route, table: label, columns, as: 'condition' });
    deciding(condition.reads, 'where');
    steps.push({ kind: 'filter', name: 'where', condition });
    reshapes = true;
  }
  for (const transform of table.transforms) {
    canFail ||= transform.isTotal !== true;
    const bound = transform.bind(rowLayout({ route, table: label, columns, key: keyOf(source, table, columns) }));
    if (bound.kind !== 'operations' && bound.readsAll === true) readsAll.add(transform.name);
    if (bound.kind === 'rows') {
      deciding(bound.reads, transform.name);
      const { spread, possible, reads, filters = false } = bound;
      const makesOf = bound.lineage.flatMap((made) => made.reads);
      const outputs = ways.fork(bound);
      steps.push({ kind: 'rows', name: transform.name, spread, possible, filters, reads, makesOf, outputs });
      lineage = extendLineage(lineage, bound.lineage, transform.name);
      rowKeys = [...rowKeys, ...bound.key];
      reshapes = true;
    } else {
      computed(bound, transform.name);
      if (bound.kind === 'operations') {
        for (const operation of bound.dropped) dropped.add(operation);
        kept = bound.kept ?? kept;
      }
    }
    columns = bound.columns;
  }
  const chain: Chain = { source, route, columns, lineage, rowKeys, kept };
  const outputs = bindOutputs(chain, options, ways);
  return {
    source,
    outputs,
    tables: [...new Set(outputs.map((output) => output.table))] as [TableVersion, ...TableVersion[]],
    steps,
    lineage,
    canFail: reshapes || kept !== null || canFail || table.owns !== null,
    reshapes,
    fill: reshapes || kept !== null ? source.columns.map((_, index) => index) : [...fill],
    mixed: [...mixed.values()],
    readsAll: [...readsAll],
    dropped,
    kept,
  };
}

/** Rows of one target table are one table, whichever way they came: else their order would be lost. */
function bindOutputs(chain: Chain, options: BindingOptions, { ways, open }: RowWays): [Output, ...Output[]] {
  const byTarget = new Map<string, { output: Output; columns: string }>();
  const bind = (way: RowWay): Output => {
    const output = bindOutput(chain, { ...options, ...way });
    const label = tableLabel(output.table);
    const columns = JSON.stringify([output.table.columns, output.projection]);
    const other = byTarget.get(label);
    if (other !== undefined && other.columns !== columns)
      throw fail(transformErrors.outputsDiffer, { route: chain.route, table: tableLabel(chain.source), target: label });
    if (other !== undefined) return other.output;
    byTarget.set(label, { output, columns });
    return output;
  };
  const bound = ways.map((way, index) => (open.has(index) ? bind(way) : null));
  const first = bound.find((output) => output !== null);
  if (first === undefined) throw new RangeError('rows have no way to go');
  return bound.map((output) => output ?? first) as [Output, ...Output[]];
}

function keyOf(source: TableVersion, { key }: MappedTable, columns: readonly Column[]): number[] {
  if (key !== null) return columns.flatMap(({ name }, index) => (key.includes(name) ? [index] : []));
  return source.identity === 'full' ? [] : columns.flatMap((column, index) => (column.key ? [index] : []));
}

function rowLayout(parts: Omit<RowLayout, 'indexOf'>): RowLayout {
  return {
    ...parts,
    indexOf(column) {
      const index = parts.columns.findIndex(({ name }) => name === column);
      if (index < 0) throw fail(routeErrors.columnUnknown, { route: parts.route, table: parts.table, column });
      return index;
    },
  };
}
