import type { RowChange } from '../../../src/core/change.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { BinlogEvent } from './binlog/event-framer.ts';
import type { RowPlan } from './binlog/row-plan.ts';
import { RowReader, UnreadableValueError } from './binlog/row-reader.ts';
import { type RowsEvent, readPartialColumns, readRowsEvent } from './binlog/rows-event.ts';

export interface RowEventsOptions {
  readonly route: string;
  readonly maxRowBytes: number;
  /** What an unpacked event may have. */
  readonly maxPayloadBytes: number;
  position(): string;
}

/** Takes rows events apart. Throws (halt) for what can't be told exactly. */
export class RowEvents {
  readonly #options: RowEventsOptions;
  readonly #reader = new RowReader();

  constructor(options: RowEventsOptions) {
    this.#options = options;
  }

  /** Gives the event's changes, each with what it takes in memory. */
  read(event: BinlogEvent, plan: RowPlan, take: (change: RowChange, bytes: number) => void): void {
    const { maxPayloadBytes, maxRowBytes } = this.#options;
    const rows = readRowsEvent(event, maxPayloadBytes);
    this.#demandWhole(rows, plan);
    const reader = this.#reader;
    reader.open(rows.bytes, rows.start, rows.end);
    try {
      while (reader.left > 0) {
        const at = reader.at;
        const change = readChange(reader, rows, plan);
        const bytes = reader.at - at;
        if (bytes > maxRowBytes)
          throw fail(sourceErrors.rowTooLarge, { ...this.#place(plan.table), bytes, maxBytes: maxRowBytes });
        take(change, memoryOf(change, bytes));
      }
    } catch (error) {
      if (!(error instanceof UnreadableValueError)) throw error;
      const column = plan.names[error.column] ?? '?';
      throw fail(sourceErrors.unreadableValue, { ...this.#place(plan.table), column, why: error.message });
    } finally {
      reader.close();
    }
  }

  #demandWhole(rows: RowsEvent, plan: RowPlan): void {
    if (rows.columns !== plan.columns) throw new RangeError('rows with another number of columns than their table');
    if (rows.before === null && rows.after === null) return;
    throw fail(sourceErrors.partialImage, this.#place(plan.table));
  }

  #place(table: TableVersion): { route: string; table: string; position: string } {
    const { route, position } = this.#options;
    return { route, table: tableLabel(table), position: position() };
  }
}

function readChange(reader: RowReader, rows: RowsEvent, plan: RowPlan): RowChange {
  const { table } = plan;
  if (rows.kind === 'insert') return { kind: 'insert', table, after: reader.image(plan) };
  if (rows.kind === 'delete') return { kind: 'delete', table, before: reader.image(plan) };
  const before = reader.image(plan, rows.partial);
  const partial = rows.partial ? reader.partialColumns((head) => readPartialColumns(head, plan.json)) : null;
  return { kind: 'update', table, before, after: reader.newImage(plan, before, partial) };
}

/** Of an object, an array and its list, whatever is in them; and of a text, with its place in the list: its head, and what its length is rounded up by. */
const changeBytes = 64;
const imageBytes = 48;
const cellBytes = 24;

/** What a row takes: a binlog tells no more of a value than it needs, and each is a text here; its values are about twice what they are in the log. */
function memoryOf(change: RowChange, wireBytes: number): number {
  const images = change.kind === 'update' ? 2 : 1;
  return 2 * wireBytes + images * (imageBytes + cellBytes * change.table.columns.length) + changeBytes;
}
