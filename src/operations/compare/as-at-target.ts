import type { Row } from '../../core/cell.ts';
import type { Position } from '../../core/position.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import type { TablePlan } from './table-plan.ts';

/** A row of the source as the target is to have it. */
export interface RowAtTarget {
  readonly row: Row;
  /** Columns with values that have no form at the target, so that nothing there is equal to the row; NULL stands for them. None, as a rule. */
  readonly refused: readonly string[];
  /** The row before it was put into the target's forms. */
  readonly mapped: Row;
}

const none: readonly string[] = [];

/** What becomes of a row of the source in the plan's target table: through the transforms, in the target's forms. */
export function asAtTarget(
  mapper: TableMapper,
  { binding, output, carrier }: TablePlan,
  row: Row,
): readonly RowAtTarget[] {
  const made = mapper.rows(binding, row, 'a compare' as Position).filter((one) => one.output.table === output.table);
  return made.map(({ row: mapped }) => {
    if (carrier == null) return { row: mapped, refused: none, mapped };
    let refused = none;
    const carried = carrier.row(mapped, (column) => {
      refused = [...refused, column];
    });
    return { row: carried, refused, mapped };
  });
}
