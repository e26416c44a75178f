import type { NodeType } from '../../core/route.ts';
import { tableLabel } from '../../core/table.ts';
import type {
  CheckSchema,
  ColumnSchema,
  DatabaseSchema,
  ForeignKeySchema,
  IndexSchema,
  LeftOut,
  SequenceSchema,
  TableSchema,
} from '../../core/table-schema.ts';
import type { Conversions } from '../../core/types/conversions.ts';
import type { VendorSchema } from '../../core/types/vendor-schema.ts';
import type { ColumnCodec, VendorTypes } from '../../core/types/vendor-types.ts';
import { bridgeComputed, bridgeCondition, bridgeDefault, type TypesOf } from './bridge-expressions.ts';
import { bridgeIndexes } from './bridge-indexes.ts';
import { BridgedTypes } from './bridge-types.ts';

interface Side {
  readonly values: VendorTypes;
  readonly words: VendorSchema;
}

export interface SchemaBridge {
  readonly from: Side;
  readonly to: Side;
  readonly toVendor: NodeType;
  readonly conversions: Conversions;
}

/** Tells of a part of a table that is not made. `text`: as the source writes it, to be ported by hand. */
export type Leave = (kind: string, name: string, why: string, text?: string | null) => void;

/**
 * The description of tables of one vendor as one of another: types as `carry` has them, and of defaults, checks, indexes and keys what both can say.
 * The rest is in `left`, with its text. Names and schemas are what they were made through the route.
 */
export function bridgeSchema(source: DatabaseSchema, bridge: SchemaBridge): DatabaseSchema {
  const types = new BridgedTypes(source, bridge);
  const left: LeftOut[] = [];
  const names = new ConstraintNames();
  const counting = new Set<string>();
  const tables = source.tables.map((table) => {
    const leave: Leave = (kind, name, why, text = null) => {
      left.push({ kind, name: `${name} of ${tableLabel(table)}`, isNeeded: false, text, why });
    };
    return bridgeTableSchema(table, { bridge, types, leave, names, sequences: source.sequences, counting });
  });
  for (const sequence of source.sequences)
    if (!counting.has(tableLabel(sequence)))
      left.push({
        kind: 'sequence',
        name: tableLabel(sequence),
        isNeeded: false,
        text: null,
        why: 'no single column counts by it',
      });
  return { tables, types: [], sequences: [], left, translated: true };
}

interface Context {
  readonly bridge: SchemaBridge;
  readonly types: BridgedTypes;
  readonly leave: Leave;
  readonly names: ConstraintNames;
  readonly sequences: readonly SequenceSchema[];
  /** Labels of sequences that have become a column's own. */
  readonly counting: Set<string>;
}

function bridgeTableSchema(table: TableSchema, context: Context): TableSchema {
  const { bridge, types, leave, names } = context;
  const typesOf: TypesOf = (column) => types.of(table, column);
  const columns = table.columns.flatMap((column) => bridgeColumn(table, column, context));
  const there = new Set(columns.map(({ name }) => name));
  if (table.partitionedBy !== null)
    leave(
      'partitioning',
      'PARTITION BY',
      'partitions are not carried: the table holds its rows itself',
      textOf(table.partitionedBy),
    );
  const checks = table.checks.flatMap((check): CheckSchema[] => {
    const holds = !/NOT (?:VALID|ENFORCED)/.test(check.suffix);
    const condition = holds ? bridgeCondition(check.condition, typesOf, bridge) : null;
    const given = check.name === '' ? checkName(table, check) : check.name;
    if (condition !== null) {
      // NO INHERIT says nothing of a table by itself.
      return [{ ...check, name: names.free(table.schema, given), condition, suffix: '' }];
    }
    const why = holds
      ? 'it says what the target would not understand, or otherwise'
      : 'rows of the source need not hold it';
    leave('check constraint', given, why, `${textOf(check.condition)}${check.suffix}`);
    return [];
  });
  const indexes = bridgeIndexes(table, { bridge, types, leave, there });
  return {
    schema: table.schema,
    name: table.name,
    columns: bridge.to.words.countsByIndex ? countingByIndex(columns, indexes, leave) : columns,
    indexes,
    checks: [...checks, ...memberChecks(table, context)],
    foreignKeys: table.foreignKeys.flatMap((key) => bridgeForeignKey(table, key, context)),
    options: [],
    comment: table.comment,
    partitionedBy: null,
    partitions: [],
    inherits: [],
  };
}

/** One column of a table counts, and an index has to begin with it: the server refuses the whole table otherwise. */
function countingByIndex(
  columns: readonly ColumnSchema[],
  indexes: readonly IndexSchema[],
  leave: Leave,
): readonly ColumnSchema[] {
  const leads = ({ name }: ColumnSchema): boolean =>
    indexes.some(({ elements: [first] }) => first?.isColumn === true && textOf(first.value) === name);
  const counting = columns.find((column) => column.identity !== null && leads(column));
  return columns.map((column) => {
    if (column.identity === null || column === counting) return column;
    const why = leads(column)
      ? 'another column of the table counts by itself, and it can have one'
      : 'no index that is made there begins with the column, and none counts by itself without';
    leave('AUTO_INCREMENT', column.name, why);
    return { ...column, identity: null };
  });
}

/** As PostgreSQL would name it. */
function checkName({ name, checks }: TableSchema, check: CheckSchema): string {
  const columns = new Set(check.condition.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.column])));
  const [column = ''] = columns;
  return `${`${name}_${columns.size === 1 ? column : checks.indexOf(check) + 1}`.slice(0, 54)}_check`;
}

function bridgeColumn(table: TableSchema, column: ColumnSchema, context: Context): ColumnSchema[] {
  const { bridge, types, leave } = context;
  const type = types.of(table, column.name);
  if (type === null) {
    leave('column', column.name, `no type there takes ${bridge.from.values.describe(column)}`);
    return [];
  }
  const { made, had, has } = type;
  const { name, notNull, comment } = column;
  const computed =
    column.generated === null ? null : bridgeComputed(column.generated.value, (one) => types.of(table, one), bridge);
  if (column.generated !== null && computed === null) {
    const why = 'the target might compute something else; its values do not travel';
    leave('generated column', name, why, textOf(column.generated.value));
    return [];
  }
  for (const option of column.options ?? [])
    leave('column option', `${option} on ${name}`, 'the target has no such option');
  const isFolded = isFolding(had) && !isFolding(has);
  const isUnique = table.indexes.some(
    ({ unique, elements }) => unique && elements.some(({ value }) => textOf(value) === name),
  );
  if (isFolded && isUnique)
    leave(
      'collation',
      name,
      'texts that are equal at the source, in another case or with other accents, are two at the target: its unique key takes both',
    );
  const identity = identityOf(table, column, context);
  const byDefault = column.nextOf === null && column.generated === null ? bridgeDefault(column, type, bridge) : null;
  if (byDefault === 'left')
    leave('default', name, 'it says what the target would not understand, or otherwise', textOf(column.default ?? []));
  return [
    {
      ...made,
      name,
      notNull,
      default: byDefault === 'left' ? null : byDefault,
      nextOf: null,
      generated: computed === null ? null : { value: computed, stored: true },
      identity,
      options: [],
      comment,
    },
  ];
}

/** A column that counts by itself, or by a sequence that is its own. */
function identityOf(
  table: TableSchema,
  column: ColumnSchema,
  { types, sequences, leave, counting }: Context,
): ColumnSchema['identity'] {
  const { nextOf } = column;
  const sequence =
    column.identity?.sequence ??
    (nextOf === null ? undefined : sequences.find((one) => tableLabel(one) === tableLabel(nextOf)));
  const type = types.of(table, column.name);
  if (sequence === undefined || type === null) return null;
  const { has, made } = type;
  const isShared = nextOf !== null && counting.has(tableLabel(nextOf));
  if (has.type.kind !== 'integer' || isShared) {
    const why = isShared
      ? 'another column counts by the same sequence'
      : 'only whole numbers count by themselves there';
    leave('default', column.name, why, nextOf === null ? null : `nextval of ${tableLabel(nextOf)}`);
    return null;
  }
  if (nextOf !== null) counting.add(tableLabel(nextOf));
  if (sequence.increment !== '1')
    leave('sequence', column.name, `it counts by ${sequence.increment} at the source, and by 1 there`);
  const max = has.type.max.toString();
  return {
    always: false,
    sequence: {
      ...{ schema: table.schema, name: '', type: made.typeText, start: sequence.start, increment: '1', min: '1', max },
      ...{ cache: '1', cycles: false, keepsName: false, ownedBy: null },
    },
  };
}

/** Members of an enum that has become a text are what a check asks for. */
function memberChecks(table: TableSchema, { bridge, types, names }: Context): CheckSchema[] {
  return table.columns.flatMap(({ name }): CheckSchema[] => {
    const { had, has } = types.of(table, name) ?? {};
    if (had?.type.kind !== 'enum' || has?.type.kind !== 'text') return [];
    const list = had.type.labels.map((text) => ({ kind: 'literal' as const, of: 'text' as const, text }));
    const condition = bridge.to.words.write({ kind: 'in', of: { kind: 'column', name }, list });
    return [{ name: names.free(table.schema, `${table.name}_${name}_members`), condition, suffix: '', comment: null }];
  });
}

function bridgeForeignKey(
  table: TableSchema,
  key: ForeignKeySchema,
  { leave, types, names, bridge }: Context,
): ForeignKeySchema[] {
  const pairs = key.columns.map(
    (column, at) => [types.of(table, column), types.of(key.references, key.referenced[at] ?? '')] as const,
  );
  const areAlike = pairs.every(([one, other]) => one !== null && other !== null && one.made.type === other.made.type);
  const isPlain = !key.period && key.setColumns.length === 0;
  const folds = pairs.some((pair) =>
    pair.some((type) => type !== null && (isFolding(type.had) || isFolding(type.has))),
  );
  const isDefault = bridge.to.values.family === 'mysql' && key.actions.includes('SET DEFAULT');
  const holds = key.valid && key.enforced;
  if (!areAlike || !isPlain || isDefault || !holds || folds) {
    let why = 'the target has no foreign keys of this kind';
    if (!holds) why = 'rows of the source need not hold it';
    else if (!areAlike) why = 'its columns have different types there';
    else if (folds) why = 'texts that differ may be equal at one side and not at the other';
    leave('foreign key', key.name, why, foreignKeyText(key));
    return [];
  }
  if (key.deferrable !== 'no' && bridge.to.values.family === 'mysql')
    leave('DEFERRABLE', `foreign key ${key.name}`, 'the target checks at once');
  if (key.actions.includes('MATCH FULL'))
    leave(
      'MATCH FULL',
      `foreign key ${key.name}`,
      'the target compares keys of which a part is NULL as MATCH SIMPLE does',
    );
  const isMysql = bridge.to.values.family === 'mysql';
  return [
    {
      ...key,
      name: isMysql ? names.free(table.schema, key.name) : key.name,
      actions: key.actions.replace(' MATCH FULL', ''),
      deferrable: isMysql ? 'no' : key.deferrable,
      valid: true,
    },
  ];
}

function isFolding({ type }: ColumnCodec): boolean {
  return type.kind === 'text' && type.folds;
}

function foreignKeyText({ columns, references, referenced, actions, valid, enforced }: ForeignKeySchema): string {
  const state = enforced ? (valid ? '' : ' NOT VALID') : ' NOT ENFORCED';
  return `FOREIGN KEY (${columns.join(', ')}) REFERENCES ${tableLabel(references)} (${referenced.join(', ')})${actions}${state}`;
}

/** Some servers tell constraints apart by their names in a schema, and not in a table. */
class ConstraintNames {
  readonly #used = new Set<string>();

  free(schema: string, name: string): string {
    let free = name;
    for (let number = 2; this.#used.has(`${schema}.${free.toLowerCase()}`); number++)
      free = `${name.slice(0, 58)}_${number}`;
    this.#used.add(`${schema}.${free.toLowerCase()}`);
    return free;
  }
}

/** For people. */
export function textOf(text: readonly (string | { readonly column: string })[]): string {
  return text.map((piece) => (typeof piece === 'string' ? piece : piece.column)).join('');
}
