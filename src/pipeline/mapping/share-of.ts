import { ABSENT, type Row } from '../../core/cell.ts';
import type { ShareTest } from '../../core/change.ts';
import type { TableVersion } from '../../core/table.ts';
import { type ChainRow, possibleRows, StepFailure } from './map-rows.ts';
import type { Step, TableBinding } from './table-binding.ts';

/** Types whose equal values have one text. */
const oneText: ReadonlySet<string> = new Set(
  ['text', 'varchar', 'name', 'bool', 'int2', 'int4', 'int8', 'uuid', 'date'].map((name) => `pg_catalog.${name}`),
);

/**
 * Which rows of a target table came from its source table. `whole`: nothing in the configuration leaves room for rows of
 * others. `hidden`: a condition reads the named source column, which does not travel as it is. Else a test that runs the
 * transforms over what a target row shows of its source row: what decides about rows, and the constants of the key,
 * say whether such a row could have come from here. A row for which a transform has no value did not.
 */
export function shareOf(
  binding: TableBinding,
  table: TableVersion,
): { kind: 'whole' } | { kind: 'hidden'; column: string } | { kind: 'some'; test: ShareTest } {
  const { outputs, source, lineage } = binding;
  const output = outputs.find((one) => one.table === table);
  if (output === undefined) throw new RangeError('not a target of the table');
  const { owns } = output;
  if (owns !== null) return { kind: 'some', test: { columns: owns.reads, isOurs: (row) => owns.isOurs(row) === true } };
  const projection = output.projection ?? table.columns.map((_, index) => index);
  const restored = new Map<number, number>();
  for (const [at, index] of projection.entries())
    if (index < source.columns.length && lineage[index]?.by === '') restored.set(index, at);

  const filters = binding.steps.filter((step) => step.kind === 'filter');
  for (const { condition } of filters) {
    const hidden = condition.reads.find((index) => !restored.has(index));
    if (hidden !== undefined) return { kind: 'hidden', column: source.columns[hidden]?.name ?? '' };
  }
  const dropping = hiddenFrom(binding.steps, new Set(restored.keys()));
  if (dropping !== null) return { kind: 'hidden', column: source.columns[dropping]?.name ?? '' };
  // Of a transform that does not say what it could make (a user exit) nothing is known, nor of what follows it.
  const opaque = binding.steps.findIndex((step) => step.kind === 'rows' && step.possible === undefined);
  const steps = opaque < 0 ? binding.steps : binding.steps.slice(0, opaque);
  const constants =
    opaque < 0
      ? output.key.flatMap((at) => {
          const index = projection[at] ?? -1;
          const isConstant = lineage[index]?.by !== '' && lineage[index]?.sources.length === 0;
          return isConstant && oneText.has(table.columns[at]?.type ?? '') ? [{ at, index }] : [];
        })
      : [];
  if (filters.length === 0 && constants.length === 0 && !chooses(steps, new Set(restored.keys())))
    return { kind: 'whole' };

  const reads = new Set(steps.flatMap(readsOf));
  const needed = [...restored].filter(([index]) => reads.has(index));
  const isHere = (made: ChainRow, row: Row): boolean =>
    outputs[made.output]?.table === table && constants.every(({ at, index }) => made.row[index] === row[at]);
  return {
    kind: 'some',
    test: {
      columns: [...new Set([...needed.map(([, at]) => at), ...constants.map(({ at }) => at)])].sort((a, b) => a - b),
      isOurs(row) {
        const known: Row = new Array(source.columns.length).fill(ABSENT);
        for (const [index, at] of needed) known[index] = row[at] ?? null;
        try {
          const made = possibleRows(steps, known);
          return opaque < 0 ? made.some((one) => isHere(one, row)) : made.length > 0;
        } catch (error) {
          if (error instanceof StepFailure) return false;
          throw error;
        }
      },
    },
  };
}

/** True where what is known of a row tells where it goes. */
function chooses(steps: readonly Step[], known: Set<number>): boolean {
  for (const step of steps) {
    if (step.kind === 'rows' && step.reads.some((index) => known.has(index))) return true;
    follow(step, known);
  }
  return false;
}

/** A column that decides whether a row is left out, and is not known; null where there is none. */
function hiddenFrom(steps: readonly Step[], known: Set<number>): number | null {
  for (const step of steps) {
    const hidden = step.kind === 'rows' && step.filters ? step.reads.find((index) => !known.has(index)) : undefined;
    if (hidden !== undefined) return hidden;
    follow(step, known);
  }
  return null;
}

/** What is known of a row behind the step. */
function follow(step: Step, known: Set<number>): void {
  if (step.kind !== 'cells') return;
  const made = step.rules.map(({ index, reads }) => ({ index, isKnown: reads.every((read) => known.has(read)) }));
  for (const { index, isKnown } of made) {
    if (isKnown) known.add(index);
    else known.delete(index);
  }
}

/** The cells that a step reads. */
export function readsOf(step: Step): readonly number[] {
  if (step.kind === 'cells') return step.rules.flatMap(({ reads }) => reads);
  return step.kind === 'filter' ? step.condition.reads : step.reads;
}
