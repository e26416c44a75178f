import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { transformErrors } from '../../core/errors/catalogue/transform.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { type Column, type TableName, tableLabel } from '../../core/table.ts';
import type { BindingOptions, Chain } from './bind-table.ts';
import { isLogged } from './is-logged.ts';
import type { Lineage } from './lineage.ts';
import type { Output } from './table-binding.ts';

export interface OutputOptions extends BindingOptions {
  readonly target: TableName;
  /** Columns that rows of this output do not have. */
  readonly hidden: readonly string[];
}

/** The columns that travel to one target table, their names there, and what identifies a row. */
export function bindOutput(chain: Chain, options: OutputOptions): Output {
  const { source } = chain;
  const { table, generated } = options;
  checkNames(chain, options);
  const excluded = new Set(table.excludedColumns);
  const travels = ({ name }: { readonly name: string }): boolean =>
    !excluded.has(name) &&
    (table.includedColumns === null || table.includedColumns.includes(name)) &&
    !options.hidden.includes(name);
  const projection = chain.columns.flatMap((column, index) => (travels(column) ? [index] : []));
  const keyColumns = outputKey(chain, options, projection);
  const named = (name: string): string => table.renamedColumns.get(name) ?? name;
  const columns = projection.map((index): Column => {
    const column = chain.columns[index] as Column;
    const name = named(column.name);
    const key = keyColumns === null ? column.key : keyColumns.includes(index);
    return name === column.name && key === column.key ? column : { ...column, name, key };
  });
  checkTwice(chain, columns);
  const key = columns.flatMap((column, index) => (column.key && source.identity !== 'full' ? [index] : []));
  const wanted = keyColumns === null ? key : keyColumns.map((index) => projection.indexOf(index));
  if (chain.kept !== null && wanted.length === 0)
    throw fail(transformErrors.keyNeeded, { ...placeOf(chain), what: 'softDelete or keepAll' });
  const toldApartBy = chain.kept === null ? null : toldApart(chain, options, keyColumns);
  const { schema, name } = options.target;
  const label = tableLabel(options.target);
  const owns = table.owns?.bind({ route: chain.route, table: label, columns, key: wanted }) ?? null;
  const computed = new Map(generated.filter((name) => travels({ name })).map((name) => [name, named(name)]));
  return {
    table: {
      schema,
      name,
      columns,
      identity: source.identity,
      ...(generated.length > 0 && {
        generated: [...computed.values()],
      }),
      ...(chain.kept !== null && { kept: { mark: markOf(chain, projection) } }),
      ...(owns !== null && {
        owns: { text: owns.text, columns: owns.reads.map((at) => columns[at]?.name ?? ''), plain: owns.plain },
      }),
    },
    projection: projection.length === chain.columns.length ? null : projection,
    lineage: projection.map((index) => chain.lineage[index] as Lineage),
    generated: computed,
    key: wanted,
    apart: chain.rowKeys.map((name) => projection.indexOf(chain.columns.findIndex((column) => column.name === name))),
    toldApartBy,
    owns,
  };
}

function placeOf({ route, source }: Chain): { route: string; table: string } {
  return { route, table: tableLabel(source) };
}

/**
 * The unique index of the source whose columns the target's key tells apart, of a table whose rows stay: two rows of one key would be
 * one there, and nothing would tell. Null where the queue tells the source's key, which has been looked at then, or nothing is known of it.
 */
function toldApart(
  chain: Chain,
  { uniqueKeys }: OutputOptions,
  key: readonly number[] | null,
): readonly string[] | null {
  const { source, lineage } = chain;
  // Of MySQL and MariaDB the queue tells the key although it logs whole rows; PostgreSQL flags every column then.
  const flagged = source.columns.filter((column) => column.key).map((column) => column.name);
  const keys = uniqueKeys ?? (flagged.length > 0 && flagged.length < source.columns.length ? [flagged] : null);
  if (source.identity !== 'full' || keys === null) return null;
  const isTold = (name: string): boolean => {
    const index = source.columns.findIndex((column) => column.name === name);
    return (key ?? []).some((at) => lineage[at]?.injectiveOf === index);
  };
  const found = keys.find((names) => names.every(isTold));
  if (found !== undefined) return found;
  const [first = []] = keys;
  if (first.length === 0) throw fail(transformErrors.keptUntold, placeOf(chain));
  throw fail(transformErrors.keyLost, { ...placeOf(chain), column: first.find((name) => !isTold(name)) ?? '' });
}

/** Every name must be there: a wrong one in an exclusion would let through what was meant to be kept back. */
function checkNames(chain: Chain, { table, generated }: OutputOptions): void {
  const known = new Set([...chain.columns.map(({ name }) => name), ...generated]);
  const named = [
    ...table.excludedColumns,
    ...(table.includedColumns ?? []),
    ...table.renamedColumns.keys(),
    ...(table.key ?? []),
  ];
  for (const column of named)
    if (!known.has(column)) throw fail(routeErrors.columnUnknown, { ...placeOf(chain), column });
}

function checkTwice(chain: Chain, columns: readonly Column[]): void {
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name)) throw fail(routeErrors.columnTwice, { ...placeOf(chain), column: name });
    names.add(name);
  }
}

function markOf(chain: Chain, projection: readonly number[]): { column: number; value: string | null } | null {
  const mark = chain.kept?.mark ?? null;
  if (mark === null) return null;
  const column = projection.indexOf(mark.index);
  if (column < 0)
    throw fail(routeErrors.keyColumnExcluded, {
      ...placeOf(chain),
      column: chain.columns[mark.index]?.name ?? '',
    });
  return { column, value: mark.value };
}

/**
 * Indexes in the chain of what identifies a row at the target; null where the whole old row is logged and any unique
 * key of the target serves. The old value of each must be known, and together they must tell all source rows apart.
 */
function outputKey(chain: Chain, { table }: OutputOptions, projection: readonly number[]): readonly number[] | null {
  const { source, columns, lineage, rowKeys } = chain;
  if (source.identity === 'full' && table.key === null) return null;
  const indexOf = (name: string): number => columns.findIndex((column) => column.name === name);
  const sourceKey = source.columns.flatMap(({ key }, index) => (key ? [index] : []));
  const key = table.key === null ? [...sourceKey, ...rowKeys.map(indexOf)] : table.key.map(indexOf);
  for (const index of key) {
    const column = columns[index]?.name ?? '';
    if (!projection.includes(index)) throw fail(routeErrors.keyColumnExcluded, { ...placeOf(chain), column });
    const unlogged = lineage[index]?.sources.find((at) => !isLogged(source, at));
    if (unlogged !== undefined)
      throw fail(transformErrors.needsOldValues, {
        ...placeOf(chain),
        column: source.columns[unlogged]?.name ?? '',
        what: `the key column ${column}`,
      });
  }
  if (source.identity === 'full') return key;
  for (const index of sourceKey) {
    if (key.some((at) => lineage[at]?.injectiveOf === index)) continue;
    const column = source.columns[index]?.name ?? '';
    const spoiled = lineage[index];
    if (key.includes(index) && spoiled !== undefined && spoiled.by !== '')
      throw fail(routeErrors.keyNotInjective, { ...placeOf(chain), column, transform: spoiled.by });
    throw fail(transformErrors.keyLost, { ...placeOf(chain), column });
  }
  return key;
}
