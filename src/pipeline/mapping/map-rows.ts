import type { Cell, Row } from '../../core/cell.ts';
import { type CellRule, ruleCell, TransformFailure } from '../../core/cell-rule.ts';
import type { MappedRow, Output, Step, TableBinding } from './table-binding.ts';

/** A transform's name and why it has no value. Becomes an error with the place where that is known. */
export class StepFailure extends Error {
  readonly transform: string;

  constructor(transform: string, cause: TransformFailure) {
    super(cause.message, { cause });
    this.transform = transform;
  }
}

/** A row is not in the route's share of its target table. */
export class OutsideShare extends Error {
  constructor() {
    super("a row outside of the route's share");
  }
}

const noRows: readonly ChainRow[] = [];

/** The one row that a row becomes where the table is not reshaped. Changes the row in place. */
export function mapRow(binding: TableBinding, row: Row): Row {
  for (const step of binding.steps) if (step.kind === 'cells') applyRules(step.name, step.rules, row);
  return owned(binding.outputs[0], project(binding.outputs[0], row));
}

/** All rows that a row becomes. Changes the row in place. */
export function mapRows(binding: TableBinding, row: Row): readonly MappedRow[] {
  return walk(binding.steps, row, spread).map(({ slot, output: index, row: made }) => {
    const output = binding.outputs[index] as Output;
    return { slot: `${index}\0${slot}`, output, row: owned(output, project(output, made)) };
  });
}

/** All rows that a row could become of which some cells are not known (ABSENT). Changes the row in place. */
export function possibleRows(steps: readonly Step[], row: Row): readonly ChainRow[] {
  return walk(steps, row, possible);
}

export interface ChainRow {
  readonly slot: string;
  /** Index of its output. */
  readonly output: number;
  /** As the chain's last transform has left it. */
  readonly row: Row;
}

function walk(steps: readonly Step[], row: Row, make: typeof spread): readonly ChainRow[] {
  let rows: ChainRow[] = [{ slot: '', output: 0, row }];
  for (const step of steps) {
    if (step.kind === 'cells') {
      for (const one of rows) applyRules(step.name, step.rules, one.row);
    } else if (step.kind === 'filter') {
      if (!passes(step, row)) return noRows;
    } else {
      rows = rows.flatMap((one) =>
        make(step, one.row).map(({ slot, output, row: made }) => ({
          slot: `${one.slot}\0${slot}`,
          output: output === null ? one.output : (step.outputs.get(one.output)?.[output] ?? 0),
          row: made,
        })),
      );
    }
  }
  return rows;
}

function project({ projection }: Output, row: Row): Row {
  return projection === null ? row : projection.map((index) => row[index] ?? null);
}

/** A key that is not told is that of a row which was looked at when it came. */
function owned({ owns }: Output, row: Row): Row {
  if (owns !== null && owns.isOurs(row) === false) throw new OutsideShare();
  return row;
}

function passes({ name, condition }: Step & { kind: 'filter' }, row: Row): boolean {
  try {
    return condition.isTrue(row);
  } catch (error) {
    throw failure(name, error);
  }
}

function spread(step: Step & { kind: 'rows' }, row: Row): ReturnType<typeof step.spread> {
  try {
    return step.spread(row);
  } catch (error) {
    throw failure(step.name, error);
  }
}

function possible(step: Step & { kind: 'rows' }, row: Row): ReturnType<typeof step.spread> {
  try {
    return (step.possible ?? step.spread)(row);
  } catch (error) {
    throw failure(step.name, error);
  }
}

const scratch: Cell[] = [];

/** Rules read the row as it was before all of them: values are assigned when all are made. */
function applyRules(name: string, rules: readonly CellRule[], row: Row): void {
  try {
    if (rules.length === 1) {
      const rule = rules[0] as CellRule;
      row[rule.index] = ruleCell(rule, row);
      return;
    }
    for (let at = 0; at < rules.length; at++) scratch[at] = ruleCell(rules[at] as CellRule, row);
    for (let at = 0; at < rules.length; at++) row[(rules[at] as CellRule).index] = scratch[at] as Cell;
  } catch (error) {
    throw failure(name, error);
  }
}

function failure(name: string, error: unknown): unknown {
  return error instanceof TransformFailure ? new StepFailure(name, error) : error;
}
