import type { Row } from '../../../src/core/cell.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { NetPlan } from '../../sql/apply/net-effect.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { checkKept, markAll, markOf } from './kept-rows.ts';
import { keyNamer, keyReader } from './key-form.ts';
import { type BoundColumn, RowStatements } from './row-statements.ts';
import { shareCondition } from './share-condition.ts';
import type { Statement } from './statement.ts';
import type { TargetIndex, TargetTable } from './target-table.ts';
import { typeFits, typeText } from './type-fit.ts';

/** How the changes of one version of one mapped table are applied to the target's table. */
export interface TablePlan extends NetPlan {
  readonly source: TableVersion;
  readonly target: TargetTable;
  readonly label: string;
  /** Quoted, with ONLY where the table may have inheritance children: their rows are not this table's. */
  readonly relation: string;
  readonly columns: readonly BoundColumn[];
  /** Equality operator of each of them. */
  readonly keyEquals: readonly string[];
  /** Two rows may have the same key until the constraint is checked. */
  readonly isKeyDeferrable: boolean;
  /** Names a row by the texts of its key, in the order of `keyIndexes`. */
  readonly nameKey: (cells: readonly (string | null)[]) => string;
  readonly insert: Statement;
  /** What `insert` does, to one row. */
  readonly insertOne: Statement;
  /** As `insertOne`, over any row of the key: for a load. Only of a table whose rows stay when the source deletes them. */
  readonly insertOver: Statement | null;
  /** COPY that does to many rows what `insert` does; null where it might not. */
  readonly copy: string | null;
  /** Replaces the values of rows named by their old key; cells that are UNCHANGED in `after` are left out. Null: none is. */
  update(after: Row | null): Statement;
  readonly delete: Statement;
  /** As `update` and `delete`, of a row that is named by its key alone: the same where old values are not checked. */
  readonly byKey: Pick<TablePlan, 'update' | 'delete'>;
  /** Finds one row by its old image where that is right in every value; null where the key alone says which row it is. */
  readonly same: Statement | null;
  /** As `same`, of a row that stands aside, its cells behind the statement's own parameters; null where old values are not checked. */
  readonly sameAside: Statement | null;
  /** `same` and `sameAside` of a table with a key, wherever whole rows are logged. Not made before they are asked for. */
  whole(): { readonly same: Statement; readonly sameAside: Statement };
  /** Deletes one of the rows that are what the image says in every column, whatever key the target has. */
  deleteImage(): Statement;
  /** Deletes one row and inserts it again with other values; null where nothing needs it. See RowStatements. */
  replace(after: Row): Statement | null;
  /** Of a table whose deleted rows are marked: marks them all, with the mark as its parameter. Null of others. */
  readonly markAll: string | null;
  /** Rules, which rewrite statements, may act on it. */
  readonly hasRules: boolean;
  /** Reads one row by key, all target columns, and deletes it: for a row that stands in the way. */
  readonly takeOut: string;
  /** Statement that inserts a row of `takeOut` again. */
  readonly putBack: string;
  /** Condition in SQL on the rows that are the route's; null: all are. */
  readonly share: string | null;
}

/** What a plan is made by, of a route. */
export type PlannedRoute = Pick<RouteDefinition, 'name' | 'collisions'>;

/** Binds a mapped table to its target. Throws (halt) where something of it can't be carried exactly. */
export function planTable(
  source: TableVersion,
  target: TargetTable,
  { name: route, collisions }: PlannedRoute,
): TablePlan {
  const label = tableLabel(source);
  const columns = bindColumns(source, target, route);
  const {
    indexes: keyIndexes,
    equals: keyEquals,
    isDeferrable: isKeyDeferrable,
  } = chooseKey(source, target, columns, route);
  const key = keyIndexes.map((index) => {
    const found = columns.find((c) => c.index === index);
    if (!found) throw new RangeError(`no column ${index} in ${label}`);
    return found;
  });
  if (source.kept !== undefined) checkKept({ target, columns, key, isKeyDeferrable }, { route, table: label });
  const relation = target.kind === 'r' ? `only ${quoteTable(target)}` : quoteTable(target);
  const checksOldValues = collisions.checksOldValues(source.schema, source.name);
  if (checksOldValues && source.identity !== 'full') {
    const statement = `ALTER TABLE ${quoteTable(source)} REPLICA IDENTITY FULL;`;
    throw fail(targetErrors.oldValuesUnlogged, { route, table: label, statement });
  }
  const kept = source.kept === undefined ? null : { mark: markOf(source, columns) };
  const options = { target, relation, columns, key, keyEquals, kept };
  // Where the source's may be deferred, too, two rows have one key for a while: only the whole old image tells them apart.
  const isKeyShared = isKeyDeferrable && source.identity === 'full';
  const isExact = checksOldValues || isKeyShared;
  const statements = new RowStatements({ ...options, checksOldValues: isExact, isKeyShared });
  let whole = isExact ? statements : null;
  let byImage: Statement | null = null;
  const byKey = isExact ? new RowStatements({ ...options, checksOldValues: false }) : statements;
  return {
    source,
    target,
    label,
    relation,
    columns,
    keyIndexes,
    keyEquals,
    isKeyDeferrable,
    canReplace: columns.every((c) => c.column.identity !== 'a' || keyIndexes.includes(c.index)),
    nameKey: keyNamer(key.map((c) => c.column)),
    readKey: statements.isSingle ? null : keyReader(key),
    // A row that replaces the one of its key can't come twice in a statement.
    insertsMany: !statements.insertsOne && source.kept === undefined,
    // One that stays when it is deleted is replaced instead.
    findsTwins: key.length > 0 && !isKeyDeferrable && source.kept === undefined,
    insert: statements.insert,
    insertOne: statements.insertOne,
    insertOver: statements.insertOver,
    copy: source.kept === undefined ? copyStatement(target, columns) : null,
    update: (after) => statements.update(after),
    delete: statements.delete,
    byKey: { update: (after) => byKey.update(after), delete: byKey.delete },
    same: statements.same,
    sameAside: checksOldValues ? statements.sameAside : null,
    whole: () => {
      whole ??= new RowStatements({ ...options, checksOldValues: true });
      const { same, sameAside } = whole;
      if (same === null || sameAside === null) throw new RangeError(`no key of ${label}`);
      return { same, sameAside };
    },
    deleteImage: () => {
      byImage ??=
        key.length === 0
          ? statements.delete
          : new RowStatements({ ...options, key: [], checksOldValues: false }).delete;
      return byImage;
    },
    replace: (after) => (isKeyShared ? statements : byKey).replace(after),
    markAll: markAll(source, relation, columns),
    hasRules: [...target.ordinaryTriggers, ...target.replicaTriggers].some((name) => name.startsWith('rule ')),
    takeOut: statements.takeOut,
    putBack: statements.putBack,
    share: source.owns === undefined ? null : shareCondition(source.owns, columns, { route, table: label }),
  };
}

/**
 * COPY reads each value by its type's input function, as `insert` does, checks the same constraints, takes the values of
 * identity columns as they are, and tells how many rows came. It knows no rules, no policies, and fires triggers at
 * other times: where any of these act, the statement stays the one that they were made for.
 */
function copyStatement(target: TargetTable, columns: readonly BoundColumn[]): string | null {
  const isActing = target.ordinaryTriggers.length + target.replicaTriggers.length > 0 || target.rowSecurity;
  if (target.kind !== 'r' || isActing || columns.length === 0) return null;
  return `copy ${quoteTable(target)} (${columns.map(({ column }) => quoteIdentifier(column.name)).join(', ')}) from stdin`;
}

/** Every source column must be at the target, able to hold every value; and the target may demand nothing else. */
function bindColumns(source: TableVersion, target: TargetTable, route: string): BoundColumn[] {
  const table = tableLabel(source);
  if (target.kind !== 'r' && target.kind !== 'p') throw fail(targetErrors.notATable, { route, table });
  if (target.unkept.length > 0) throw fail(targetErrors.notKept, { route, table, parts: target.unkept.join(', ') });
  const bound = source.columns.map((from, index) => {
    const column = target.columns.find((c) => c.name === from.name);
    if (!column) throw fail(targetErrors.columnMissing, { route, table, column: from.name });
    if (column.generated) throw fail(targetErrors.columnGenerated, { route, table, column: from.name });
    const use = isArrayOf(from.type, column.element) ? { type: column.type, modifier: from.modifier } : from;
    const base = { type: column.baseType, modifier: column.modifier };
    if (!typeFits(use, column) && !(column.baseType !== column.type && typeFits(use, base))) {
      const place = { route, table, column: from.name, source: typeText(from), target: typeText(column) };
      throw fail(targetErrors.typeDoesNotFit, place);
    }
    return { index, column };
  });
  for (const name of source.generated ?? []) {
    if (target.columns.some((column) => column.name === name && !column.generated))
      throw fail(targetErrors.sourceGenerated, { route, table, column: name });
  }
  for (const column of target.columns) {
    const isBound = bound.some((b) => b.column === column);
    if (!isBound && column.notNull && !column.hasDefault && !column.generated && column.identity === '')
      throw fail(targetErrors.columnUnfilled, { route, table, column: column.name });
  }
  return bound;
}

/**
 * Array types have names that depend on what else was there when they were made: _mood, __mood, _mood_1. That both are
 * made of the same elements is looked at in the preflight.
 */
function isArrayOf(type: string, element: string | null): boolean {
  if (element === null) return false;
  const dot = element.indexOf('.') + 1;
  const name = type.startsWith(`${element.slice(0, dot)}_`) ? type.slice(dot).replace(/^_+/, '') : null;
  return name !== null && [name, name.replace(/_[0-9]+$/, '')].includes(element.slice(dot).replace(/^_+/, ''));
}

/**
 * The columns that name a row at the target: those whose old values the source logs. They need a unique index there,
 * or an update could hit several rows. With every column logged, any unique key of the target serves, but for rows that stay.
 */
function chooseKey(
  source: TableVersion,
  target: TargetTable,
  columns: readonly BoundColumn[],
  route: string,
): { indexes: readonly number[]; equals: readonly string[]; isDeferrable: boolean } {
  const none = { indexes: [], equals: [], isDeferrable: false };
  const usable = target.uniqueIndexes.filter((index) => !index.partial);
  const indexesOf = (names: readonly string[]): number[] =>
    names.map((name) => columns.find((c) => c.column.name === name)?.index ?? -1);
  // A row that stays is found again by what the route says identifies it, and by nothing else.
  if (source.identity === 'full' && source.kept === undefined) {
    const covered = usable.filter((index) => index.allNotNull && !indexesOf(index.columns).includes(-1));
    // The source's own, where it has one: of others nobody knows whether they tell its rows apart.
    const own = source.columns.filter((column) => column.key).map((column) => column.name);
    const isOwn = ({ columns: names }: TargetIndex): boolean =>
      names.length === own.length && names.every((name) => own.includes(name));
    const chosen = covered.find(isOwn) ?? covered[0];
    if (chosen === undefined) return none;
    return { indexes: indexesOf(chosen.columns), equals: chosen.equals, isDeferrable: chosen.deferrable };
  }
  const key = source.columns.flatMap((column, index) => (column.key ? [index] : []));
  if (key.length === 0) return none;
  const names = key.map((index) => source.columns[index]?.name ?? '');
  const found = usable.find(
    (index) => index.columns.length === names.length && index.columns.every((name) => names.includes(name)),
  );
  if (!found) {
    // A table has one primary key at most; in that of a partitioned table are the columns that it is partitioned by.
    const listed = names.map(quoteIdentifier).join(', ');
    const statement = target.uniqueIndexes.some(({ primary }) => primary)
      ? `CREATE UNIQUE INDEX ON ${quoteTable(target)} (${listed})`
      : `ALTER TABLE ${quoteTable(target)} ADD PRIMARY KEY (${listed})`;
    throw fail(targetErrors.keyMissing, { route, table: tableLabel(source), columns: names.join(', '), statement });
  }
  const equals = names.map((name) => found.equals[found.columns.indexOf(name)] ?? '=');
  return { indexes: key, equals, isDeferrable: found.deferrable };
}
