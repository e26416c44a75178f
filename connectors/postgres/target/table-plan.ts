import { type Row, UNCHANGED } from '../../../src/core/cell.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { elementForm } from './array-literal.ts';
import { type KeyReader, keyNamer, keyReader } from './key-form.ts';
import { columnList, type SetColumn, type Statement, unnestSource } from './statement.ts';
import type { TargetColumn, TargetIndex, TargetTable } from './target-table.ts';
import { typeFits } from './type-fit.ts';

interface BoundColumn {
  readonly index: number;
  readonly column: TargetColumn;
}

/** How the changes of one version of one mapped table are applied to the target's table. */
export interface TablePlan {
  readonly source: TableVersion;
  readonly target: TargetTable;
  readonly label: string;
  /** Quoted, with ONLY where the table may have inheritance children: their rows are not this table's. */
  readonly relation: string;
  readonly columns: readonly BoundColumn[];
  /** Columns that name a row at the target; empty where only the whole row does. */
  readonly keyIndexes: readonly number[];
  /** Equality operator of each of them. */
  readonly keyEquals: readonly string[];
  /** Two rows may have the same key until the constraint is checked. */
  readonly isKeyDeferrable: boolean;
  /** Null where changes of this table can't be reduced to a net effect: they are applied one by one, in order. */
  readonly readKey: KeyReader | null;
  /** Names a row by the texts of its key, in the order of `keyIndexes`. */
  readonly nameKey: (cells: readonly (string | null)[]) => string;
  /** A deleted and reinserted row can become one update: no column refuses to be assigned. */
  readonly canReplace: boolean;
  readonly insert: Statement;
  /** Replaces the values of rows named by their old key; cells that are UNCHANGED in `after` are left out. */
  update(after: Row): Statement;
  readonly delete: Statement;
  /** Of a table whose deleted rows are marked: marks them all, with the mark as its parameter. Null of others. */
  readonly markAll: string | null;
  /** Reads one row by key as text, all target columns, and deletes it: for a row that stands in the way. */
  readonly takeOut: string;
  /** Statement that inserts a row of `takeOut` again. */
  readonly putBack: string;
}

let statementNumber = 0;
const nextName = (kind: string): string => `tl_${kind}_${++statementNumber}`;

/** Binds a mapped table to its target. Throws (halt) where something of it can't be carried exactly. */
export function planTable(source: TableVersion, target: TargetTable, route: string): TablePlan {
  const label = tableLabel(source);
  const columns = bindColumns(source, target, route);
  const {
    indexes: keyIndexes,
    equals: keyEquals,
    isDeferrable: isKeyDeferrable,
  } = chooseKey(source, target, columns, route);
  if (source.kept !== undefined) checkKept(columns, keyIndexes, isKeyDeferrable, { route, table: label });
  const bound = (index: number): BoundColumn => {
    const found = columns.find((c) => c.index === index);
    if (!found) throw new RangeError(`no column ${index} in ${label}`);
    return found;
  };
  const key = keyIndexes.map(bound);
  const set = (image: 'old' | 'new', list: readonly BoundColumn[]): SetColumn[] =>
    list.map((c) => ({ ...c, image, form: c.column.unnestable ? elementForm(c.column.baseType) : 'quoted' }));
  const relation = target.kind === 'r' ? `only ${quoteTable(target)}` : quoteTable(target);
  const updates = new Map<string, Statement>();

  const buildUpdate = (changed: readonly BoundColumn[]): Statement => {
    const list = key.length > 0 ? set('old', key) : set('old', columns);
    // An identity column that is GENERATED ALWAYS can't be assigned: its value must be there already, or the row counts
    // as not found and the change is reported.
    const values = set(
      'new',
      changed.filter((c) => c.column.identity !== 'a'),
    );
    const given = set(
      'new',
      changed.filter((c) => c.column.identity === 'a'),
    );
    const u = unnestSource([...list, ...values, ...given]);
    const isGiven = given.map(
      (c, at) => ` and t.${quoteIdentifier(c.column.name)} = ${u.value(list.length + values.length + at)}`,
    );
    // A row whose every cell is unchanged still has to be found, or a missing one would go unnoticed.
    const assignments =
      values.length > 0
        ? values.map((c, at) => `${quoteIdentifier(c.column.name)} = ${u.value(list.length + at)}`)
        : list.slice(0, 1).map((c) => `${quoteIdentifier(c.column.name)} = t.${quoteIdentifier(c.column.name)}`);
    const row = locate(list, u.value);
    return {
      name: nextName('update'),
      text: `update ${relation} as t set ${assignments.join(', ')} from ${u.from}${row.join} where ${row.where}${isGiven.join('')}`,
      parameters: u.parameters,
    };
  };
  const locate = (list: readonly SetColumn[], value: (at: number) => string): { join: string; where: string } => {
    if (key.length > 0) {
      const equal = list.map((c, at) => `t.${quoteIdentifier(c.column.name)} ${keyEquals[at]} ${value(at)}`);
      return { join: '', where: equal.join(' and ') };
    }
    // Without a key exactly one of the identical rows is meant. Text is compared since json and others have no equality.
    const same = list.map(
      (c, at) =>
        `s.${quoteIdentifier(c.column.name)}::pg_catalog.text is not distinct from (${value(at)})::pg_catalog.text`,
    );
    return {
      join: ` cross join lateral (select s.tableoid, s.ctid from ${relation} as s where ${same.join(' and ')} limit 1) as h`,
      where: 't.tableoid = h.tableoid and t.ctid = h.ctid',
    };
  };
  const deleteList = key.length > 0 ? set('old', key) : set('old', columns);
  const deleteSource = unnestSource(deleteList);
  const deleteRow = locate(deleteList, deleteSource.value);
  const insertList = set('new', columns);
  const insertSource = unnestSource(insertList);
  const keyMatch = key
    .map(
      (c, at) => `${quoteIdentifier(c.column.name)} ${keyEquals[at]} $${at + 1}::pg_catalog.text::${c.column.typeSql}`,
    )
    .join(' and ');
  const kept = target.columns.filter((c) => !c.generated);

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
    readKey: keyIndexes.length > 0 ? keyReader(key) : null,
    insert: {
      name: nextName('insert'),
      text: `insert into ${quoteTable(target)} (${columnList(insertList)}) overriding system value select ${insertList
        .map((_, at) => insertSource.value(at))
        .join(', ')} from ${insertSource.from}${source.kept === undefined ? '' : replaceKept(key, columns)}`,
      parameters: insertSource.parameters,
    },
    update(after) {
      let mask = '';
      for (const { index } of columns) if (after[index] === UNCHANGED) mask += `${index} `;
      let statement = updates.get(mask);
      if (statement === undefined) {
        statement = buildUpdate(columns.filter((c) => after[c.index] !== UNCHANGED));
        updates.set(mask, statement);
      }
      return statement;
    },
    delete: {
      name: nextName('delete'),
      text: `delete from ${relation} as t using ${deleteSource.from}${deleteRow.join} where ${deleteRow.where}`,
      parameters: deleteSource.parameters,
    },
    markAll: markAll(source, relation, columns),
    takeOut:
      key.length === 0
        ? ''
        : `delete from ${relation} where ${keyMatch} returning ${kept
            .map((c) => `${quoteIdentifier(c.name)}::pg_catalog.text`)
            .join(', ')}`,
    putBack: `insert into ${quoteTable(target)} (${kept.map((c) => quoteIdentifier(c.name)).join(', ')}) overriding system value values (${kept
      .map((c, at) => `$${at + 1}::pg_catalog.text::${c.typeSql}`)
      .join(', ')})`,
  };
}

/** Every source column must be at the target, able to hold every value; and the target may demand nothing else. */
function bindColumns(source: TableVersion, target: TargetTable, route: string): BoundColumn[] {
  const table = tableLabel(source);
  if (target.kind !== 'r' && target.kind !== 'p') throw fail(targetErrors.notATable, { route, table });
  const bound = source.columns.map((from, index) => {
    const column = target.columns.find((c) => c.name === from.name);
    if (!column) throw fail(targetErrors.columnMissing, { route, table, column: from.name });
    if (column.generated) throw fail(targetErrors.columnGenerated, { route, table, column: from.name });
    const base = { type: column.baseType, modifier: column.modifier };
    if (!typeFits(from, column) && !(column.baseType !== column.type && typeFits(from, base))) {
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

function checkKept(
  columns: readonly BoundColumn[],
  key: readonly number[],
  isKeyDeferrable: boolean,
  place: { readonly route: string; readonly table: string },
): void {
  const keyNames = key.map((index) => columns.find((c) => c.index === index)?.column.name ?? '').join(', ');
  if (key.length === 0)
    throw fail(targetErrors.keptNeedsKey, { ...place, columns: keyNames, why: 'has no unique index' });
  if (isKeyDeferrable)
    throw fail(targetErrors.keptNeedsKey, {
      ...place,
      columns: keyNames,
      why: 'has one that is only checked at commit',
    });
  const fixed = columns.find(({ index, column }) => column.identity === 'a' && !key.includes(index));
  if (fixed !== undefined) throw fail(targetErrors.columnGenerated, { ...place, column: fixed.column.name });
}

/** Of a table whose deleted rows stay: an insert replaces the row that was kept. */
function replaceKept(key: readonly BoundColumn[], columns: readonly BoundColumn[]): string {
  const name = ({ column }: BoundColumn): string => quoteIdentifier(column.name);
  const others = columns.filter((c) => !key.includes(c));
  // A row of nothing but its key is assigned too, so that it counts.
  const values = (others.length > 0 ? others : key).map((c) => `${name(c)} = excluded.${name(c)}`);
  return ` on conflict (${key.map(name).join(', ')}) do update set ${values.join(', ')}`;
}

function markAll({ kept }: TableVersion, relation: string, columns: readonly BoundColumn[]): string | null {
  const mark = columns.find(({ index }) => index === kept?.mark?.column)?.column;
  return mark === undefined
    ? null
    : `update ${relation} set ${quoteIdentifier(mark.name)} = $1::pg_catalog.text::${mark.typeSql}`;
}

function typeText(use: { readonly type: string; readonly modifier: number }): string {
  const name = use.type.replace(/^pg_catalog\./, '');
  return use.modifier === -1 ? name : `${name} (modifier ${use.modifier})`;
}

/**
 * The columns that name a row at the target: those whose old values the source logs. They need a unique index there,
 * or an update could hit several rows. With every column logged, any unique key of the target serves.
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
  if (source.identity === 'full') {
    const isCovered = (index: TargetIndex): boolean => index.allNotNull && !indexesOf(index.columns).includes(-1);
    const chosen = usable.find(isCovered);
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
    const statement = `ALTER TABLE ${quoteTable(target)} ADD PRIMARY KEY (${names.map(quoteIdentifier).join(', ')})`;
    throw fail(targetErrors.keyMissing, { route, table: tableLabel(source), columns: names.join(', '), statement });
  }
  const equals = names.map((name) => found.equals[found.columns.indexOf(name)] ?? '=');
  return { indexes: key, equals, isDeferrable: found.deferrable };
}
