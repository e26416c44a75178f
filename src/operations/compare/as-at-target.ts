import type { Row } from '../../core/cell.ts';
import type { Position } from '../../core/position.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import type { TablePlan } from './table-plan.ts';

/** What becomes of a row of the source in the plan's target table: through the transforms, in the target's forms. */
export function asAtTarget(mapper: TableMapper, { binding, output, carrier }: TablePlan, row: Row): readonly Row[] {
  const made = mapper
    .rows(binding, row, 'a compare' as Position)
    .filter((one) => one.output.table === output.table)
    .map((one) => one.row);
  return carrier == null ? made : made.map((one) => carrier.row(one));
}
