import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import { signalTable } from '../signals.ts';
import type { BinlogEvent } from './binlog/event-framer.ts';
import { makeRowPlan, type RowPlan, UndescribedColumnError, type UnloggedFacts } from './binlog/row-plan.ts';
import { describesAs, descriptionOf, readTableId, readTableMap, readTableName } from './binlog/table-map.ts';
import type { Collations } from './binlog/values/charsets.ts';
import type { BinlogPosition } from './position/binlog-position.ts';

export interface PlannedTable extends TableName {
  /** Null of a table whose rows the route does not take. */
  readonly plan: RowPlan | null;
  /** What its first row halts with. */
  readonly refused: TidelockError | null;
  /** Rows of it are Tidelock's own signals. */
  readonly signals: boolean;
  /** What is in here was in the table's copy, and does not count. */
  readonly loadedTo: BinlogPosition | null;
}

interface Known {
  readonly description: Buffer;
  readonly table: PlannedTable;
}

export interface TablePlansOptions {
  readonly route: string;
  readonly collations: Collations;
  readonly mariadb: boolean;
  isTaken(schema: string, name: string): boolean;
  unlogged(table: TableName): UnloggedFacts;
  loadedTo(table: TableName): BinlogPosition | null;
  position(): string;
}

/**
 * How rows are read, by the ids that table maps give out. Each statement brings the map of its tables anew; a plan is only
 * made where the description is another one than the table's last.
 */
export class TablePlans {
  readonly #options: TablePlansOptions;
  readonly #ids = new Map<number, Known>();
  /** By table, the last: ids are given out anew with each file and each FLUSH TABLES, and whoever is behind this keeps what it makes of a version. */
  readonly #last = new Map<string, Known>();

  constructor(options: TablePlansOptions) {
    this.#options = options;
  }

  /** A table map event. */
  describe(event: BinlogEvent): void {
    const id = readTableId(event);
    const known = this.#ids.get(id);
    if (known !== undefined && describesAs(event, known.description)) return;
    const description = descriptionOf(event);
    const name = readTableName(event);
    const label = tableLabel(name);
    const last = this.#last.get(label);
    const now = last?.description.equals(description)
      ? last
      : { description: Buffer.from(description), table: this.#plan(event, name) };
    this.#ids.set(id, now);
    if (now.table.plan !== null) this.#last.set(label, now);
  }

  get(id: number): PlannedTable {
    const known = this.#ids.get(id);
    if (known === undefined) throw new RangeError(`rows of table ${id}, which was not described`);
    return known.table;
  }

  /** A server that was started anew gives out the same ids again. */
  forget(): void {
    this.#ids.clear();
  }

  #plan(event: BinlogEvent, table: TableName): PlannedTable {
    const { schema, name } = table;
    const loadedTo = this.#options.loadedTo(table);
    const common = { schema, name, plan: null, refused: null, loadedTo, signals: isSignalTable(table) };
    if (!common.signals && !this.#options.isTaken(schema, name)) return common;
    const map = readTableMap(event, this.#options.mariadb);
    try {
      return { ...common, plan: makeRowPlan(map, this.#options.collations, this.#options.unlogged(map)) };
    } catch (error) {
      if (!(error instanceof UndescribedColumnError)) throw error;
      const place = { route: this.#options.route, table: tableLabel(table), column: error.column ?? '?' };
      const refused = fail(sourceErrors.undescribedColumn, {
        ...place,
        position: this.#options.position(),
        why: error.message,
      });
      return { ...common, refused };
    }
  }
}

function isSignalTable({ schema, name }: TableName): boolean {
  return schema === signalTable.schema && name === signalTable.name;
}

/** Whether two versions of a table have the same columns: names, types, order and key. */
export function sameDefinition(a: TableVersion, b: TableVersion): boolean {
  return (
    a.columns.length === b.columns.length &&
    a.columns.every((column, i) => {
      const other = b.columns[i];
      return (
        other !== undefined && column.name === other.name && column.type === other.type && column.key === other.key
      );
    })
  );
}
