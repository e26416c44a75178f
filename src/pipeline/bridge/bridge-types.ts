import type { Column, TableName } from '../../core/table.ts';
import { tableLabel } from '../../core/table.ts';
import type { ColumnSchema, DatabaseSchema, TableSchema } from '../../core/table-schema.ts';
import { carry } from '../../core/types/carry.ts';
import type { MadeType } from '../../core/types/vendor-schema.ts';
import type { ColumnCodec } from '../../core/types/vendor-types.ts';
import type { SchemaBridge } from './bridge-schema.ts';

/** A column's type at either side. */
export interface BridgedType {
  readonly had: ColumnCodec;
  readonly has: ColumnCodec;
  readonly made: MadeType;
}

/** Types of all columns, by table and column: those that point to others have the types of these. */
export class BridgedTypes {
  readonly #bridge: SchemaBridge;
  readonly #tables: ReadonlyMap<string, TableSchema>;
  readonly #known = new Map<string, BridgedType | null>();

  constructor({ tables }: DatabaseSchema, bridge: SchemaBridge) {
    this.#bridge = bridge;
    this.#tables = new Map(tables.map((table) => [tableLabel(table), table]));
  }

  /** Null of a column that is not there, or of a type that no type of the target carries. */
  of(table: TableName, column: string): BridgedType | null {
    const key = `${tableLabel(table)} ${column}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    // Of tables that point to each other one is the first.
    this.#known.set(key, null);
    const found = this.#find(table, column);
    this.#known.set(key, found);
    return found;
  }

  #find(name: TableName, columnName: string): BridgedType | null {
    const table = this.#tables.get(tableLabel(name));
    const column = table?.columns.find((one) => one.name === columnName);
    if (table === undefined || column === undefined) return null;
    const { from, to, toVendor, conversions } = this.#bridge;
    const had = from.values.codec(codecColumn(column));
    const isKey = table.indexes.some(
      ({ constraint, elements }) => constraint === 'primary' && namesColumn(elements, columnName),
    );
    const isCarried = (made: MadeType): BridgedType | null => {
      const has = to.values.codec(made);
      const carrying = carry(had.type, has.type, conversions);
      if (carrying.kind === 'refused' || (isKey && !carrying.injective)) return null;
      return { had, has, made };
    };
    for (const parent of this.#parents(table, columnName)) {
      const same = isCarried(parent);
      if (same !== null) return same;
    }
    const counts = column.identity !== null || column.nextOf !== null;
    const use = { vendor: toVendor, indexed: isIndexed(table, columnName, [...this.#tables.values()]), counts };
    for (const made of to.words.typesFor(had.type, use)) {
      const found = isCarried(made);
      if (found !== null) return found;
    }
    return null;
  }

  *#parents(table: TableSchema, column: string): Generator<MadeType> {
    for (const { columns, references, referenced } of table.foreignKeys) {
      const parent = referenced[columns.indexOf(column)];
      if (parent === undefined || (tableLabel(references) === tableLabel(table) && parent === column)) continue;
      const found = this.of(references, parent);
      if (found !== null) yield found.made;
    }
  }
}

function codecColumn({ type, modifier, definition }: ColumnSchema): Pick<Column, 'type' | 'modifier' | 'definition'> {
  return { type, modifier, ...(definition !== undefined && { definition }) };
}

function namesColumn(elements: TableSchema['indexes'][number]['elements'], column: string): boolean {
  return elements.some(({ value }) => value.some((piece) => typeof piece !== 'string' && piece.column === column));
}

/** Its values have to fit into an index: all of them, or they are told apart by it. */
function isIndexed(table: TableSchema, column: string, all: readonly TableSchema[]): boolean {
  const isUnique = table.indexes.some(
    ({ unique, constraint, elements }) => (unique || constraint !== null) && namesColumn(elements, column),
  );
  const points = table.foreignKeys.some(({ columns }) => columns.includes(column));
  const isPointedTo = all.some(({ foreignKeys }) =>
    foreignKeys.some(
      ({ references, referenced }) => tableLabel(references) === tableLabel(table) && referenced.includes(column),
    ),
  );
  return isUnique || points || isPointedTo;
}
