import { ABSENT, type Cell, type Row, UNCHANGED } from '../../../src/core/cell.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { TablePlan } from './table-plan.ts';

/** So many rows of one image are to be left out of what the load brings. */
interface Owed {
  readonly plan: TablePlan;
  readonly row: Row;
  readonly bytes: number;
  count: number;
}

interface RowStep {
  readonly plan: TablePlan;
  readonly row: Row;
  /** 1: the stream has deleted such a row, which was not there. -1: the load has left one out. 0: it was there after all. */
  by: 1 | -1 | 0;
}

/** All rows of the target table have gone, and at the source. */
interface EmptyStep {
  readonly emptied: string;
}

type Step = RowStep | EmptyStep;

/**
 * What the stream deletes of a table without a key that is being loaded, and what is not at the target yet. Rows are told by all that is in them, and all of one
 * image are as good as one another: so the load leaves one such row out when it comes to it. What the target has then is what the source has, of the rows
 * that were loaded. A row is owed from the COMMIT of the transaction that has missed it; what is rolled back owes nothing.
 *
 * In memory alone: the snapshot that the load reads ends with the session, and with it whatever this means.
 */
export class OwedRows {
  readonly #route: string;
  readonly #mostBytes: number;
  /** By target table, then by image. */
  readonly #owed = new Map<string, Map<string, Owed>>();
  #bytes = 0;
  /** Of the attempt that is under way, and of parts of the open target transaction before it. */
  #steps: Step[] = [];
  #kept: Step[] = [];
  #stepsBytes = 0;
  #keptBytes = 0;

  /** `mostBytes`: of all that is owed, about. */
  constructor(route: string, mostBytes: number) {
    this.#route = route;
    this.#mostBytes = mostBytes;
  }

  /** What is applied begins, or begins anew. */
  begin(): void {
    this.#steps = [];
    this.#stepsBytes = 0;
  }

  /** It is behind a savepoint, and its transaction goes on. */
  keep(): void {
    for (const step of this.#steps) if ('emptied' in step || step.by !== 0) this.#kept.push(step);
    this.#keptBytes += this.#stepsBytes;
    this.begin();
  }

  rolledBack(): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.begin();
  }

  committed(): void {
    const steps = [...this.#kept, ...this.#steps];
    this.rolledBack();
    for (const step of steps) {
      if ('emptied' in step) this.forget([step.emptied]);
      else this.#take(step);
    }
  }

  /** The stream empties the table: of what was committed before there is nothing left at the source that could still be loaded. */
  emptied({ label }: TablePlan): void {
    this.#steps.push({ emptied: label });
  }

  /** A row that is to be deleted. Gives what is to be told how many were there. Throws where it can't be told from others. */
  deleting(plan: TablePlan, row: Row): (found: number) => void {
    if (row.some((cell) => cell === ABSENT || cell === UNCHANGED)) throw this.#missing(plan);
    const step: RowStep = { plan, row, by: 0 };
    this.#steps.push(step);
    return (found) => {
      if (found > 0) return;
      step.by = 1;
      this.#stepsBytes += bytesOf(row);
      const bytes = this.#mostBytes;
      if (this.#bytes + this.#keptBytes + this.#stepsBytes > bytes)
        throw fail(targetErrors.loadOwesTooMuch, { route: this.#route, table: plan.label, bytes });
    };
  }

  /** Any row of it is owed. */
  owes({ label }: TablePlan): boolean {
    return (this.#owed.get(label)?.size ?? 0) > 0;
  }

  /** Those of a chunk that are to go on: the others are taken off what is owed when it is committed. */
  left(plan: TablePlan, rows: readonly Row[]): readonly Row[] {
    const owed = this.#owed.get(plan.label);
    if (owed === undefined) return rows;
    const taken = new Map<string, number>();
    return rows.filter((row) => {
      const image = imageOf(row);
      const found = owed.get(image);
      const used = taken.get(image) ?? 0;
      if (found === undefined || used >= found.count) return true;
      taken.set(image, used + 1);
      this.#steps.push({ plan, row: found.row, by: -1 });
      return false;
    });
  }

  /**
   * All rows are there, and these, which no row of the load was like by its text, are still to go: by what the server holds for the same. Each as often
   * as it is owed.
   */
  rest(labels: readonly string[]): readonly { readonly plan: TablePlan; readonly row: Row }[] {
    const leftOut = new Map<Row, number>();
    for (const step of this.#steps)
      if ('row' in step && step.by === -1) leftOut.set(step.row, (leftOut.get(step.row) ?? 0) + 1);
    const rest: { plan: TablePlan; row: Row }[] = [];
    for (const label of labels)
      for (const { plan, row, count } of this.#owed.get(label)?.values() ?? [])
        for (let left = count - (leftOut.get(row) ?? 0); left > 0; left--) rest.push({ plan, row });
    return rest;
  }

  forget(labels: readonly string[]): void {
    for (const label of labels) {
      for (const { bytes } of this.#owed.get(label)?.values() ?? []) this.#bytes -= bytes;
      this.#owed.delete(label);
    }
  }

  #take({ plan, row, by }: RowStep): void {
    if (by === 0) return;
    const image = imageOf(row);
    const rows = this.#owed.get(plan.label) ?? new Map<string, Owed>();
    this.#owed.set(plan.label, rows);
    let owed = rows.get(image);
    if (owed === undefined) {
      owed = { plan, row, bytes: bytesOf(row), count: 0 };
      rows.set(image, owed);
      this.#bytes += owed.bytes;
    }
    owed.count += by;
    if (owed.count > 0) return;
    rows.delete(image);
    this.#bytes -= owed.bytes;
  }

  #missing({ label: table }: TablePlan): Error {
    const place = { route: this.#route, table, position: 'a row of a table that is loaded', change: 'delete' };
    return fail(targetErrors.collision, { ...place, found: 'does not tell all of the old row' });
  }
}

/** Tells rows apart by their text: no cell of PostgreSQL's holds a zero byte. */
function imageOf(row: Row): string {
  return row.map((cell) => (cell === null ? 'n' : `t${textOf(cell)}`)).join('\0');
}

function textOf(cell: Cell): string {
  return Buffer.isBuffer(cell) ? `\\x${cell.toString('hex')}` : String(cell);
}

/** Of an image and its row: a character may take two bytes in each of them, and one of bytes is two digits in the image. */
function bytesOf(row: Row): number {
  let bytes = 200;
  for (const cell of row) if (typeof cell === 'string' || Buffer.isBuffer(cell)) bytes += 4 * cell.length + 16;
  return bytes;
}
