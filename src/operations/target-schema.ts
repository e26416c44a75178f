import { type TableName, tableLabel } from '../core/table.ts';
import type {
  CheckSchema,
  ColumnSchema,
  DatabaseSchema,
  ForeignKeySchema,
  IndexSchema,
  LeftOut,
  NamingRules,
  PartitionSchema,
  SequenceSchema,
  SqlText,
  TableSchema,
} from '../core/table-schema.ts';
import type { Output, TableBinding } from '../pipeline/mapping/table-binding.ts';

/**
 * What the target's tables are to be: the source's through the route's names, exclusions and transforms. What no longer
 * holds there (a key of a column that is excluded, a foreign key to rows that are filtered) is left out and named.
 */
export function targetSchema(
  source: DatabaseSchema,
  bindings: readonly TableBinding[],
  naming: NamingRules,
): DatabaseSchema {
  return new TargetSchema(source, bindings, naming).made();
}

/** One target table in the making. */
interface Making {
  readonly table: TableSchema;
  readonly binding: TableBinding;
  readonly output: Output;
  /** Rows of the source table that go to several tables have one that keeps what there can be once: names, partitions. */
  readonly isFirst: boolean;
  /** By the source's name: the column at the target, and whether its values are the source's. */
  readonly columns: ReadonlyMap<string, TargetColumn>;
}

interface TargetColumn {
  readonly name: string;
  readonly values: 'same' | 'distinct' | 'others';
}

class TargetSchema {
  readonly #source: DatabaseSchema;
  readonly #naming: NamingRules;
  readonly #makings: readonly Making[];
  readonly #left: LeftOut[] = [];
  /** Names of relations, by schema. */
  readonly #used = new Set<string>();
  /** By the source's label. */
  readonly #sequencePlaces = new Map<string, TableName>();

  constructor(source: DatabaseSchema, bindings: readonly TableBinding[], naming: NamingRules) {
    this.#source = source;
    this.#naming = naming;
    this.#makings = source.tables.flatMap((table) => {
      const binding = bindings.find(({ source: { schema, name } }) => schema === table.schema && name === table.name);
      return binding === undefined ? [] : makingsOf(table, binding);
    });
    for (const { output } of this.#makings) this.#used.add(tableLabel(output.table));
    for (const sequence of source.sequences.toSorted((a, b) => Number(b.keepsName) - Number(a.keepsName)))
      this.#sequencePlaces.set(tableLabel(sequence), this.#placeOf(sequence));
  }

  made(): DatabaseSchema {
    const sequences = this.#source.sequences.map((sequence) => this.#sequence(sequence));
    return {
      types: this.#source.types,
      tables: this.#makings.map((making) => this.#table(making)),
      sequences,
      left: [...this.#source.left, ...this.#left],
    };
  }

  #leave(kind: string, name: string, { output }: Making, why: string): void {
    this.#left.push({ kind, name: `${name} of ${tableLabel(output.table)}`, isNeeded: false, text: null, why });
  }

  #table(making: Making): TableSchema {
    const { table, output } = making;
    const { schema, name } = output.table;
    const partitionedBy = this.#partitionedBy(making);
    const indexes = this.#indexes(making, table.indexes);
    return {
      schema,
      name,
      columns: this.#columns(making),
      indexes: indexes.some(({ constraint }) => constraint === 'primary') ? indexes : [...ownKey(making), ...indexes],
      checks: this.#checks(making, table.checks),
      foreignKeys: this.#foreignKeys(making, table.foreignKeys),
      options: table.options,
      comment: table.comment,
      partitionedBy,
      partitions: partitionedBy === null ? [] : table.partitions.map((partition) => this.#partition(making, partition)),
      inherits: this.#inherits(making),
    };
  }

  #columns(making: Making): readonly ColumnSchema[] {
    const { table, output, binding } = making;
    const key = new Set(output.key.map((index) => output.table.columns[index]?.name));
    const own = table.columns.flatMap((column): ColumnSchema[] => {
      const target = making.columns.get(column.name);
      if (target === undefined) return [];
      const { name } = target;
      if (column.generated !== null) {
        const value = renamed(column.generated.value, making, ['same']);
        return value === null ? [] : [{ ...column, name, generated: { ...column.generated, value } }];
      }
      const mapped = output.table.columns.find((other) => other.name === name);
      if (mapped === undefined) return [];
      if (target.values === 'same') {
        const { nextOf } = column;
        return [
          {
            ...column,
            name,
            ...(mapped.definition !== undefined && { definition: mapped.definition }),
            nextOf: nextOf === null ? null : (this.#sequencePlaces.get(tableLabel(nextOf)) ?? nextOf),
            identity: this.#identity(column, making),
          },
        ];
      }
      const isSameType = mapped.type === column.type && mapped.modifier === column.modifier;
      const { type, modifier } = mapped;
      const typeText = isSameType ? column.typeText : null;
      return [
        { ...added, name, type, modifier, typeText, notNull: key.has(name) && column.notNull, comment: column.comment },
      ];
    });
    const known = new Set(own.map(({ name }) => name));
    const others = output.table.columns.filter(({ name }) => !known.has(name));
    for (const column of table.columns)
      if (
        column.generated !== null &&
        making.columns.has(column.name) &&
        !known.has(making.columns.get(column.name)?.name ?? '')
      )
        this.#leave(
          'generated column',
          column.name,
          making,
          'it is made of columns that are not there, or not as they were',
        );
    const isSpread = binding.steps.some(({ kind }) => kind === 'rows');
    return [
      ...own,
      ...others.map(({ name, type, modifier }) => ({
        ...added,
        name,
        type,
        modifier,
        notNull: isSpread && key.has(name),
      })),
    ];
  }

  #identity({ identity }: ColumnSchema, { table, output, isFirst }: Making): ColumnSchema['identity'] {
    if (identity === null) return null;
    const { schema, name } = this.#moved(identity.sequence, table);
    return {
      ...identity,
      sequence: isFirst
        ? { ...identity.sequence, schema, name: this.#free(schema, name) }
        : { ...identity.sequence, schema: output.table.schema, name: '' },
    };
  }

  /** What lies in a table's schema goes where the table goes. */
  #moved({ schema, name }: TableName, near: TableName): TableName {
    const making = this.#makings.find(
      ({ table, isFirst }) => isFirst && table.schema === near.schema && table.name === near.name,
    );
    return { schema: making !== undefined && schema === near.schema ? making.output.table.schema : schema, name };
  }

  /** Sequences of two schemas may come to lie in one: each has its own all the same. */
  #placeOf(sequence: SequenceSchema): TableName {
    const { schema, name } = this.#wantedPlace(sequence);
    let free = name;
    for (let number = 2; !sequence.keepsName && this.#used.has(tableLabel({ schema, name: free })); number++)
      free = numbered(name, number);
    this.#used.add(tableLabel({ schema, name: free }));
    return { schema, name: free };
  }

  #wantedPlace(sequence: SequenceSchema): TableName {
    const { ownedBy, keepsName } = sequence;
    const user = this.#makings.find(({ table }) =>
      table.columns.some(({ nextOf }) => nextOf !== null && isSame(nextOf, sequence)),
    );
    return user === undefined || keepsName ? sequence : this.#moved(sequence, ownedBy?.table ?? user.table);
  }

  #sequence(sequence: SequenceSchema): SequenceSchema {
    const { ownedBy } = sequence;
    const place = this.#sequencePlaces.get(tableLabel(sequence)) ?? sequence;
    const owner = this.#makings.find(
      ({ table, isFirst }) => isFirst && ownedBy !== null && isSame(table, ownedBy.table),
    );
    const column = ownedBy === null ? undefined : owner?.columns.get(ownedBy.column);
    // The server has an owner only in the sequence's own schema.
    const isOwned = column?.values === 'same' && owner?.output.table.schema === place.schema;
    return {
      ...sequence,
      ...nameOf(place),
      ownedBy: owner === undefined || !isOwned ? null : { table: nameOf(owner.output.table), column: column.name },
    };
  }

  #partitionedBy(making: Making): SqlText | null {
    const { table, isFirst } = making;
    if (table.partitionedBy === null) return null;
    const key = isFirst ? renamed(table.partitionedBy, making, ['same']) : null;
    if (key === null)
      this.#leave(
        'partitioning',
        'PARTITION BY',
        making,
        isFirst
          ? 'its columns are not there, or not as they were'
          : 'the partitions are those of another table of the same rows',
      );
    return key;
  }

  #partition(making: Making, partition: PartitionSchema): PartitionSchema {
    const { table, output } = making;
    const place = ({ schema, name }: TableName): TableName => {
      if (isSame({ schema, name }, table)) return nameOf(output.table);
      return { schema: schema === table.schema ? output.table.schema : schema, name };
    };
    return {
      ...partition,
      ...place(partition),
      parent: place(partition.parent),
      partitionedBy: partition.partitionedBy === null ? null : renamed(partition.partitionedBy, making, ['same']),
      indexes: this.#indexes(making, partition.indexes),
      checks: this.#checks(making, partition.checks),
      foreignKeys: this.#foreignKeys(making, partition.foreignKeys),
    };
  }

  #inherits(making: Making): readonly TableName[] {
    return making.table.inherits.flatMap((parent) => {
      const other = this.#makings.find(({ table, isFirst }) => isFirst && isSame(table, parent));
      const has = new Set([...making.columns.values()].map(({ name }) => name));
      if (other !== undefined && making.isFirst && [...other.columns.values()].every(({ name }) => has.has(name)))
        return [nameOf(other.output.table)];
      this.#leave('inheritance', tableLabel(parent), making, 'its columns are not all there');
      return [];
    });
  }

  #indexes(making: Making, indexes: readonly IndexSchema[]): readonly IndexSchema[] {
    return indexes.flatMap((index): IndexSchema[] => {
      const kind = index.constraint === null ? 'index' : `${index.constraint} constraint`;
      const why = this.#obstacle(making, index);
      const take = (text: SqlText): SqlText => renamed(text, making, ['same', 'distinct', 'others']) ?? [];
      if (why !== null) {
        this.#leave(kind, index.name, making, why);
        return [];
      }
      return [
        {
          ...index,
          name:
            this.#naming.indexNames === 'perTable' ? index.name : this.#free(making.output.table.schema, index.name),
          elements: index.elements.map((element) => ({ ...element, value: take(element.value) })),
          include: index.include.flatMap((column) => making.columns.get(column)?.name ?? []),
          where: index.where === null ? null : take(index.where),
          valid: true,
        },
      ];
    });
  }

  /** Why an index has no place at the target; null where it has. */
  #obstacle(making: Making, { unique, constraint, elements, include, where, valid }: IndexSchema): string | null {
    if (!valid) return 'it is not valid at the source';
    const { binding } = making;
    const restricts = unique || constraint !== null;
    const columns = [...elements.map(({ value }) => value), where ?? []].flatMap(columnsOf);
    const values = [...columns, ...include].map((column) => making.columns.get(column)?.values);
    if (values.includes(undefined)) return 'a column of it does not travel';
    if (!restricts) return null;
    if (columns.some((column) => making.columns.get(column)?.values === 'others'))
      return 'a transform may make one value of several';
    if (constraint === 'exclude' && values.some((kind) => kind !== 'same')) return 'a transform changes its values';
    if (constraint === 'primary' && !binding.steps.some(({ kind }) => kind === 'rows')) return null;
    return restricted(binding);
  }

  /** A relation's name, or nothing where it is taken: the server finds one. */
  #free(schema: string, name: string): string {
    const label = tableLabel({ schema, name });
    if (this.#used.has(label)) return '';
    this.#used.add(label);
    return name;
  }

  #checks(making: Making, checks: readonly CheckSchema[]): readonly CheckSchema[] {
    return checks.flatMap((check) => {
      const condition = renamed(check.condition, making, ['same']);
      if (condition !== null) return [{ ...check, condition }];
      this.#leave('check constraint', check.name, making, 'it reads columns that are not there, or not as they were');
      return [];
    });
  }

  #foreignKeys(making: Making, keys: readonly ForeignKeySchema[]): readonly ForeignKeySchema[] {
    return keys.flatMap((key): ForeignKeySchema[] => {
      const others = this.#makings.filter(({ table }) => isSame(table, key.references));
      const [other] = others;
      const why =
        other === undefined
          ? `the route does not carry ${tableLabel(key.references)}`
          : others.length > 1 || other.binding.reshapes || other.binding.dropped.size > 0
            ? `${tableLabel(key.references)} does not have all rows`
            : making.binding.kept !== null || making.binding.dropped.size > 0
              ? 'rows stay that the source has deleted or changed'
              : null;
      const columns = key.columns.map((column) => making.columns.get(column));
      const referenced = key.referenced.map((column) => other?.columns.get(column));
      const areSame = [...columns, ...referenced].every((column) => column?.values === 'same');
      if (other === undefined || why !== null || !areSame) {
        this.#leave('foreign key', key.name, making, why ?? 'its columns are not there, or not as they were');
        return [];
      }
      const names = (list: readonly (TargetColumn | undefined)[]): string[] =>
        list.flatMap((column) => column?.name ?? []);
      return [
        {
          ...key,
          columns: names(columns),
          references: nameOf(other.output.table),
          referenced: names(referenced),
          setColumns: names(key.setColumns.map((column) => making.columns.get(column))),
        },
      ];
    });
  }
}

const added = {
  typeText: null,
  notNull: false,
  collation: null,
  default: null,
  nextOf: null,
  generated: null,
  identity: null,
  options: [],
  comment: null,
};

function makingsOf(table: TableSchema, binding: TableBinding): Making[] {
  const outputs = binding.tables.flatMap((target) => binding.outputs.find((output) => output.table === target) ?? []);
  return outputs.map((output, at) => ({
    table,
    binding,
    output,
    isFirst: at === 0,
    columns: targetColumns(binding, output),
  }));
}

function targetColumns({ source }: TableBinding, output: Output): ReadonlyMap<string, TargetColumn> {
  const columns = new Map<string, TargetColumn>();
  for (const [at, { sources, by, injectiveOf }] of output.lineage.entries()) {
    const name = output.table.columns[at]?.name;
    const index = by === '' ? sources[0] : injectiveOf;
    const from = index === null || index === undefined ? undefined : source.columns[index]?.name;
    if (name !== undefined && from !== undefined) columns.set(from, { name, values: by === '' ? 'same' : 'distinct' });
    // A column that was written anew keeps its place, so that an index may still serve it.
    const [only] = sources;
    const written = sources.length === 1 && only !== undefined ? source.columns[only]?.name : undefined;
    if (name !== undefined && written !== undefined && !columns.has(written))
      columns.set(written, { name, values: 'others' });
  }
  for (const [from, name] of output.generated) columns.set(from, { name, values: 'same' });
  return columns;
}

/** Why a unique constraint need not hold at the target. */
function restricted({ kept, dropped, steps }: TableBinding): string | null {
  if (kept !== null) return 'rows stay that the source has deleted';
  if (dropped.size > 0) return 'not all operations travel';
  return steps.some(({ kind }) => kind === 'rows') ? 'a row becomes several, or goes to one of several tables' : null;
}

/** What identifies the rows there, where the source's primary key does not. */
function ownKey({ output, table }: Making): readonly IndexSchema[] {
  const columns = output.key.flatMap((index) => output.table.columns[index]?.name ?? []);
  if (columns.length === 0) return [];
  const hasPrimary = table.indexes.some(({ constraint }) => constraint === 'primary');
  const identity = table.indexes.find(({ isIdentity }) => isIdentity);
  if (!hasPrimary && identity !== undefined) return [];
  return [
    {
      name: '',
      constraint: hasPrimary ? 'primary' : 'unique',
      unique: true,
      method: 'btree',
      elements: columns.map((column) => ({
        value: [{ column }],
        isColumn: true,
        length: null,
        collation: null,
        operatorClass: null,
        order: '',
        operator: null,
      })),
      include: [],
      nullsNotDistinct: false,
      withoutOverlaps: false,
      where: null,
      options: [],
      deferrable: 'no',
      isIdentity: true,
      valid: true,
      comment: null,
    },
  ];
}

function columnsOf(text: SqlText): readonly string[] {
  return text.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.column]));
}

/** With the target's names; null where a column is not there, or its values are none of these. */
function renamed(text: SqlText, { columns }: Making, values: readonly TargetColumn['values'][]): SqlText | null {
  const fits = columnsOf(text).every((column) => {
    const target = columns.get(column);
    return target !== undefined && values.includes(target.values);
  });
  if (!fits) return null;
  return text.map((piece) => (typeof piece === 'string' ? piece : { column: columns.get(piece.column)?.name ?? '' }));
}

const longestName = 63;

/** No longer than a name may be in bytes: the server would cut off what tells it from the other. */
function numbered(name: string, number: number): string {
  const end = `_${number}`;
  let start = name;
  while (Buffer.byteLength(start + end) > longestName) start = [...start].slice(0, -1).join('');
  return start + end;
}

function isSame(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.name === b.name;
}

function nameOf({ schema, name }: TableName): TableName {
  return { schema, name };
}
