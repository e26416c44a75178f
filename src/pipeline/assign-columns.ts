import type { Column, TableVersion } from '../core/table.ts';
import type { TableDefinition, TableFacts } from '../core/table-facts.ts';

type Known = TableDefinition['columns'][number];

export interface AssignOptions {
  /** The definition before. */
  readonly before: TableDefinition;
  /** The catalogue, which is as old as the announced definition or newer. */
  readonly facts: TableFacts;
  /** Everything that the catalogue shows had happened before the announced definition. */
  readonly settled: boolean;
  /** Of the source transaction that brings the announced definition. */
  readonly transaction: string;
  /** As Source.precedes. */
  precedes(a: string, b: string): boolean;
}

/** The catalogue shows exactly this definition. */
export function isOfCatalogue(announced: TableVersion, facts: TableFacts): boolean {
  return sameColumns(announced.columns, facts.columns);
}

function sameColumns(a: readonly Column[], b: readonly Column[]): boolean {
  return (
    a.length === b.length &&
    a.every((column, at) => {
      const other = b[at];
      return other !== undefined && sameColumn(column, other);
    })
  );
}

export function sameColumn(a: Column, b: Column): boolean {
  return a.name === b.name && a.type === b.type && a.modifier === b.modifier;
}

/**
 * The ids of the announced columns, which the queue does not tell: null where more than one assignment is possible, or none.
 *
 * Columns are announced in the order of their ids, and an id is never given again. A column that was there before and is in
 * the catalogue was there in between. Of those that were added since, the announced table has the first so many. One that was dropped
 * since, or came and went, may have been there or not. Names prove nothing by themselves, since a column may have been renamed
 * in between, but a column whose stamp has not changed was not touched in between, name and type included.
 *
 * Where that leaves more than one reading, as after DROP a, ADD b, those are left out in which a column has a definition that it had
 * neither before nor has now. If one is left, it counts unless the order of transaction ids speaks against it: what is taken for dropped or not
 * yet dropped was not dropped by a later, or an earlier, transaction than the one that brings the row. What that leaves out is a table that had
 * exactly this definition twice, with other columns under the same names, all between two looks at the catalogue.
 */
export function assignColumns(announced: TableVersion, options: AssignOptions): readonly number[] | null {
  const { before, facts, settled } = options;
  if (settled) return isOfCatalogue(announced, facts) ? facts.columns.map(({ id }) => id) : null;
  const candidates = candidatesOf(before, facts);
  const found = new Search(announced.columns, candidates).run();
  return found === 'many' ? byOrder(announced, options) : found;
}

function byOrder(announced: TableVersion, options: AssignOptions): readonly number[] | null {
  const { before, facts, transaction, precedes } = options;
  const stampOf = (id: number): string => facts.stamps[id - 1] ?? '';
  const candidates = candidatesOf(before, facts).flatMap((candidate): Candidate[] => {
    const { id, was, is } = candidate;
    // Came and went: gone again before the row, where that is certain; else it may be anything.
    if (was === null && is === null) return precedes(stampOf(id), transaction) ? [] : [candidate];
    return [{ ...candidate, certain: [was, is].filter((column) => column !== null) }];
  });
  const ids = new Search(announced.columns, candidates).run();
  if (ids === 'many' || ids === null) return null;
  const contradicts = candidates.some(({ id, was, is }) => {
    const isThere = ids.includes(id);
    if (was !== null && is === null)
      return isThere ? precedes(stampOf(id), transaction) : precedes(transaction, stampOf(id));
    return is !== null && !isThere && precedes(stampOf(id), transaction);
  });
  return contradicts ? null : ids;
}

interface Candidate {
  readonly id: number;
  /** `kept`: there before and after. `added`: one of those that came in this order. `perhaps`: there or not. */
  readonly kind: 'kept' | 'added' | 'perhaps';
  /** What the column must look like, one of these, where that is certain. */
  readonly certain: readonly Column[] | null;
  /** As it was before, and as the catalogue has it. */
  readonly was: Column | null;
  readonly is: Column | null;
}

function candidatesOf(before: TableDefinition, facts: TableFacts): readonly Candidate[] {
  const old = new Map(before.columns.map((column) => [column.id, column]));
  const now = new Map(facts.columns.map((column) => [column.id, column]));
  const generated = new Set([...before.generated, ...facts.generated].map(({ id }) => id));
  const candidates: Candidate[] = [];
  for (let id = 1; id <= Math.max(before.lastColumn, facts.lastColumn); id++) {
    const was: Known | null = old.get(id) ?? null;
    const is = now.get(id) ?? null;
    const common = { id, was, is, certain: null };
    if (was !== null && is !== null)
      candidates.push({ ...common, kind: 'kept', certain: was.stamp === is.stamp ? [was] : null });
    else if (was !== null) candidates.push({ ...common, kind: 'perhaps' });
    else if (id <= before.lastColumn) {
      // Dropped before, or generated: one that is no longer generated may have come to travel.
      if (is !== null) candidates.push({ ...common, kind: 'perhaps' });
    } else if (is !== null) candidates.push({ ...common, kind: 'added' });
    else if (!generated.has(id)) candidates.push({ ...common, kind: 'perhaps' });
  }
  return candidates;
}

/** Counts assignments up to two. */
class Search {
  readonly #columns: readonly Column[];
  readonly #candidates: readonly Candidate[];
  /** How many ways there are from a candidate and a column on, by both. */
  readonly #ways = new Map<number, number>();

  constructor(columns: readonly Column[], candidates: readonly Candidate[]) {
    this.#columns = columns;
    this.#candidates = candidates;
  }

  run(): readonly number[] | 'many' | null {
    const ways = this.#count(0, 0);
    if (ways !== 1) return ways === 0 ? null : 'many';
    const ids: number[] = [];
    for (let candidate = 0, column = 0; column < this.#columns.length; candidate++) {
      if (!this.#fits(candidate, column) || this.#count(candidate + 1, column + 1) === 0) continue;
      ids.push(this.#candidates[candidate]?.id ?? 0);
      column++;
    }
    return ids;
  }

  #count(from: number, column: number): number {
    const key = from * 4096 + column;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    const candidate = this.#candidates[from];
    let ways = 0;
    if (candidate === undefined) ways = column === this.#columns.length ? 1 : 0;
    else {
      if (this.#fits(from, column)) ways += this.#count(from + 1, column + 1);
      if (candidate.kind === 'perhaps') ways += this.#count(from + 1, column);
      // Where an added one is not there yet, none that came later is.
      if (candidate.kind === 'added' && column === this.#columns.length) ways += 1;
    }
    ways = Math.min(ways, 2);
    this.#ways.set(key, ways);
    return ways;
  }

  #fits(candidate: number, at: number): boolean {
    const column = this.#columns[at];
    if (column === undefined) return false;
    const certain = this.#candidates[candidate]?.certain ?? null;
    return certain === null || certain.some((one) => sameColumn(one, column));
  }
}
