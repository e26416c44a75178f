import type { Row } from '../../../src/core/cell.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { NetPlan } from '../../sql/apply/net-effect.ts';
import type { KeyReader } from '../../sql/apply/row-key.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { keyReader, mayFold } from './key-form.ts';
import { RowStatements } from './row-statements.ts';
import { shareCondition } from './share-condition.ts';
import type { TargetColumn, TargetIndex, TargetTable } from './target-table.ts';
import { typeFits } from './type-fit.ts';

export interface BoundColumn {
  /** In the mapped table's columns. */
  readonly index: number;
  readonly column: TargetColumn;
}

/** How the changes of one version of one mapped table are applied to the target's table. */
export interface TablePlan extends NetPlan {
  readonly source: TableVersion;
  readonly target: TargetTable;
  readonly label: string;
  readonly columns: readonly BoundColumn[];
  readonly statements: RowStatements;
  /** Which rows are the route's, where others write the table, too; null: all. */
  readonly share: string | null;
  /** The values of a row's key as the server compares them; for finding out whether it is there. */
  keyOf(row: Row): string;
  /** As `readKey`, whatever the net effect needs. */
  readonly tellKey: KeyReader | null;
  /**
   * Whether two rows of the source may have one key of the target: `always`, where the source has no such key; `within` a transaction, as far as is known, where it logs whole
   * rows and may check the key at the end of it.
   */
  readonly sharesKeys: 'never' | 'within' | 'always';
  /** The first column of its own key of which texts that the source tells apart may be one here. */
  readonly coarserColumn: string | null;
}

export interface PlanOptions {
  readonly route: string;
  /** Name of the target's node. */
  readonly node: string;
  readonly vendor: 'mysql' | 'mariadb';
  readonly foreignKeysAct: boolean;
  /** The source tells which columns are its own key, also where it logs whole rows. */
  readonly namesKeys: boolean;
}

const transactional: ReadonlySet<string> = new Set(['innodb', 'rocksdb']);

/** Binds a mapped table to its target. Throws (halt) where something of it can't be carried exactly. */
export function planTable(
  source: TableVersion,
  target: TargetTable,
  { route, node, vendor, foreignKeysAct, namesKeys }: PlanOptions,
): TablePlan {
  const label = tableLabel(source);
  if (!transactional.has((target.engine ?? '').toLowerCase()))
    throw fail(targetErrors.noTransactions, {
      route,
      table: label,
      engine: target.engine ?? 'none',
      statement: `ALTER TABLE ${quoteTable(target)} ENGINE = InnoDB`,
    });
  if (source.kept !== undefined)
    throw fail(nodeErrors.notYet, { node, what: `to keep rows of ${label} (softDelete, keepAll)` });
  const columns = bindColumns(source, target, route);
  const keyIndexes = chooseKey(source, target, columns, route);
  const key = keyIndexes.map((index) => {
    const found = columns.find((c) => c.index === index);
    if (found === undefined) throw new RangeError(`no column ${index} in ${label}`);
    return found;
  });
  const statements = new RowStatements({ target, columns, key, vendor });
  const tellKey = key.length === 0 ? null : keyReader(key);
  return {
    source,
    target,
    label,
    columns,
    keyIndexes,
    statements,
    share: shareCondition(
      source,
      route,
      (name) => key.find(({ index }) => source.columns[index]?.name === name)?.column,
    ),
    // What a cascade does to other rows happens with each single change: of two that cancel each other out none would.
    readKey: foreignKeysAct && target.cascades.length > 0 ? null : tellKey,
    insertsMany: columns.length > 0,
    findsTwins: key.length > 0,
    canReplace: true,
    keyOf: (row) => statements.keyCondition(row),
    tellKey,
    ...sharesKeys(source, key, { namesKeys }),
  };
}

function sharesKeys(
  { identity, columns }: TableVersion,
  key: readonly BoundColumn[],
  { namesKeys }: Pick<PlanOptions, 'namesKeys'>,
): Pick<TablePlan, 'sharesKeys' | 'coarserColumn'> {
  if (identity !== 'full' || key.length === 0) return { sharesKeys: 'never', coarserColumn: null };
  if (!namesKeys) return { sharesKeys: 'within', coarserColumn: null };
  const own = columns.flatMap((column, index) => (column.key ? [index] : []));
  const isAsFine = ({ index, column }: BoundColumn): boolean =>
    columns[index]?.type === column.typeName || !mayFold(column);
  // Texts that are two at the source may be one here.
  const coarser = key.find((bound) => own.includes(bound.index) && !isAsFine(bound));
  // Rows that differ in some of the columns differ in all of them together.
  const isOwn = own.length > 0 && own.every((index) => key.some((bound) => bound.index === index));
  return {
    sharesKeys: isOwn && coarser === undefined ? 'never' : 'always',
    coarserColumn: coarser === undefined ? null : (columns[coarser.index]?.name ?? null),
  };
}

/** Every source column must be at the target, able to hold every value; and the target may demand nothing else. */
function bindColumns(source: TableVersion, target: TargetTable, route: string): BoundColumn[] {
  const table = tableLabel(source);
  const bound = source.columns.map((from, index) => {
    // Names of columns are compared without case.
    const column = target.columns.find((c) => c.name.toLowerCase() === from.name.toLowerCase());
    if (column === undefined) throw fail(targetErrors.columnMissing, { route, table, column: from.name });
    if (column.generated) throw fail(targetErrors.columnGenerated, { route, table, column: from.name });
    if (!typeFits(from.type, column.typeName)) {
      const place = { route, table, column: from.name, source: from.type, target: column.typeName };
      throw fail(targetErrors.typeDoesNotFit, place);
    }
    return { index, column };
  });
  for (const name of source.generated ?? []) {
    if (target.columns.some((column) => column.name.toLowerCase() === name.toLowerCase() && !column.generated))
      throw fail(targetErrors.sourceGenerated, { route, table, column: name });
  }
  for (const column of target.columns) {
    const isBound = bound.some((b) => b.column === column);
    if (!isBound && column.notNull && !column.hasDefault && !column.generated)
      throw fail(targetErrors.columnUnfilled, { route, table, column: column.name });
  }
  return bound;
}

/**
 * The columns that name a row at the target. A full row image is logged, so that any unique key of the target's serves that has no NULL; the source's own
 * key is taken where it is one.
 */
function chooseKey(
  source: TableVersion,
  target: TargetTable,
  columns: readonly BoundColumn[],
  route: string,
): readonly number[] {
  const indexOf = (name: string): number => columns.find(({ column }) => column.name === name)?.index ?? -1;
  const usable = target.uniqueIndexes
    .filter((index) => !index.partial && index.allNotNull)
    .map((index) => index.columns.map(indexOf))
    .filter((indexes) => !indexes.includes(-1));
  const key = source.columns.flatMap((column, index) => (column.key ? [index] : []));
  const same = usable.find((indexes) => indexes.length === key.length && indexes.every((index) => key.includes(index)));
  if (same !== undefined) return same;
  if (source.identity === 'full') return usable[0] ?? [];
  if (key.length === 0) return [];
  const names = key.map((index) => source.columns[index]?.name ?? '');
  const statement = addKey(target, names);
  throw fail(targetErrors.keyMissing, { route, table: tableLabel(source), columns: names.join(', '), statement });
}

function addKey(target: TargetTable, names: readonly string[]): string {
  const hasPrimary = target.uniqueIndexes.some(({ primary }: TargetIndex) => primary);
  const listed = names.map(quoteIdentifier).join(', ');
  return `ALTER TABLE ${quoteTable(target)} ADD ${hasPrimary ? 'UNIQUE KEY' : 'PRIMARY KEY'} (${listed})`;
}
