import type { IndexElement, IndexSchema, SqlText, TableSchema } from '../../core/table-schema.ts';
import { bridgeIndexed } from './bridge-expressions.ts';
import { type Leave, type SchemaBridge, textOf } from './bridge-schema.ts';
import type { BridgedTypes } from './bridge-types.ts';

interface IndexContext {
  readonly bridge: SchemaBridge;
  readonly types: BridgedTypes;
  readonly leave: Leave;
  /** Names of the columns that the target's table has. */
  readonly there: ReadonlySet<string>;
}

/** Ordered indexes and keys, as far as both can have them; what else there is is told. */
export function bridgeIndexes(table: TableSchema, context: IndexContext): readonly IndexSchema[] {
  return table.indexes.flatMap((index) => {
    const why = obstacle(index, context);
    const elements = why === null ? index.elements.map((element) => bridgeElement(table, index, element, context)) : [];
    const made = elements.flatMap((element) => element ?? []);
    if (why !== null || made.length < index.elements.length) {
      const kind = index.constraint === null ? 'index' : `${index.constraint} constraint`;
      context.leave(kind, index.name, why ?? 'the target has no index of this kind', indexText(index));
      return [];
    }
    if (index.include.length > 0)
      context.leave(
        'INCLUDE',
        index.name,
        'the index does not carry other columns along there',
        `INCLUDE (${index.include.join(', ')})`,
      );
    if (index.deferrable !== 'no') context.leave('DEFERRABLE', index.name, 'the target checks at once');
    for (const [at, { length }] of made.entries())
      if (length !== null && length !== index.elements[at]?.length)
        context.leave(
          'index length',
          index.name,
          `it is over the first ${length} of each value of ${textOf(made[at]?.value ?? [])} there: a whole one has no room`,
        );
    return [bridgedIndex(index, table, made, context)];
  });
}

function obstacle(
  { method, constraint, where, nullsNotDistinct, withoutOverlaps, unique, elements }: IndexSchema,
  { there }: IndexContext,
): string | null {
  if (method !== 'btree' && method !== 'hash') return `${method} indexes are made by hand`;
  if (constraint === 'exclude' || withoutOverlaps) return 'the target has no such constraint';
  if (where !== null) return unique ? 'it holds for some of the rows only' : 'it is over some of the rows only';
  if (nullsNotDistinct) return 'the target takes several rows with NULL';
  const columns = elements.flatMap(({ value }) =>
    value.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.column])),
  );
  return columns.every((column) => there.has(column)) ? null : 'a column of it is not there';
}

/** Null where the target can't have it. */
function bridgeElement(
  table: TableSchema,
  index: IndexSchema,
  { value, isColumn, length, order }: IndexElement,
  { bridge, types }: IndexContext,
): IndexElement | null {
  const { to, toVendor } = bridge;
  const restricts = index.unique || index.constraint !== null;
  const element = (made: SqlText, isOne: boolean, characters: number | null): IndexElement => ({
    value: made,
    isColumn: isOne,
    length: characters,
    collation: null,
    operatorClass: null,
    order: order.includes('DESC') ? ' DESC' : '',
    operator: null,
  });
  if (!isColumn) {
    const made = to.words.indexes.functional(toVendor) ? bridgeIndexed(value, bridge) : null;
    return made === null ? null : element(made, false, null);
  }
  const column = textOf(value);
  const type = types.of(table, column);
  if (type === null) return null;
  if (length !== null) {
    const prefix = to.words.indexes.prefix(column, length, type.had.type);
    return prefix === null ? element(value, true, length) : element(prefix, false, null);
  }
  const most = to.words.indexes.prefixOf(type.made);
  // Of a unique one the beginnings alone would be told apart.
  if (most !== null && restricts) return null;
  return element(value, true, most);
}

function bridgedIndex(
  index: IndexSchema,
  table: TableSchema,
  elements: readonly IndexElement[],
  { bridge }: IndexContext,
): IndexSchema {
  const { primaryName, uniqueIsConstraint } = bridge.to.words.indexes;
  const isPrimary = index.constraint === 'primary';
  const isUnique = index.unique || index.constraint === 'unique';
  const isPlain = elements.every(({ isColumn, order }) => isColumn && order === '');
  const named =
    index.name === '' || index.name === 'PRIMARY'
      ? `${table.name}_${elements.map(({ value }) => textOf(value).replaceAll(/\W+/g, '_')).join('_')}`.slice(0, 60)
      : index.name;
  return {
    ...index,
    name: isPrimary ? primaryName : named,
    constraint: isPrimary ? 'primary' : isUnique && uniqueIsConstraint && isPlain ? 'unique' : null,
    unique: isUnique || isPrimary,
    method: 'btree',
    elements,
    include: [],
    options: [],
    deferrable: 'no',
    isIdentity: index.isIdentity,
    valid: true,
  };
}

function indexText({ unique, method, elements, where }: IndexSchema): string {
  const list = elements
    .map(({ value, length, order }) => `${textOf(value)}${length === null ? '' : `(${length})`}${order}`)
    .join(', ');
  return `${unique ? 'UNIQUE ' : ''}${method} (${list})${where === null ? '' : ` WHERE ${textOf(where)}`}`;
}
