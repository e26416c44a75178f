import type { RouteDefinition } from '../core/route.ts';
import type { SequenceMove, SequenceState } from '../core/sequence.ts';
import type { Source } from '../core/source.ts';
import { type TableName, tableLabel } from '../core/table.ts';
import type { Target } from '../core/target.ts';
import type { TableMapper } from '../pipeline/table-mapper.ts';

/**
 * carried: set forward. same: there was nothing to do. ahead: the target has gone further, and is left alone. missing: the target's column
 * has no sequence, or there is none of that name. outOfRange: the target's bounds do not hold the value. notCarried: the column does not travel to one column.
 */
export type SequenceOutcome = 'carried' | 'same' | 'ahead' | 'missing' | 'outOfRange' | 'notCarried' | 'refused';

export interface SequenceReport {
  readonly source: string;
  /** Null for one that the route names itself. */
  readonly column: string | null;
  readonly target: string | null;
  readonly outcome: SequenceOutcome;
  readonly sourceValue: string;
  /** Of the target's sequence before. */
  readonly targetValue: string | null;
  /** What it was set to. */
  readonly value: string | null;
  readonly reason: string | null;
}

export interface CarryOptions {
  readonly source: Pick<Source, 'sequences' | 'namedSequences' | 'tables'>;
  readonly target: Pick<Target, 'sequences' | 'namedSequences' | 'setSequence'>;
  readonly mapper: TableMapper;
  readonly which: RouteDefinition['sequences'];
}

/** Brings the sequences of the target's columns to where the source's are, so that the target can take over. */
export async function carrySequences(options: CarryOptions): Promise<readonly SequenceReport[]> {
  const ofColumns = await carryOfColumns(options);
  const carried = new Set(ofColumns.map((report) => report.source));
  return [...ofColumns, ...(await carryNamed(options, carried))];
}

async function carryOfColumns({ source, target, mapper, which }: CarryOptions): Promise<readonly SequenceReport[]> {
  const tables = await source.tables();
  const sequences = (await source.sequences(tables)).filter(({ name }) => !isExcluded(which, name));
  const bindings = new Map(tables.map((table) => [tableLabel(table), mapper.bind(table)]));
  const placed = sequences.map((sequence) => {
    const binding = bindings.get(tableLabel(sequence.table));
    return { sequence, place: binding === undefined ? null : targetColumn(binding, sequence.column) };
  });
  const theirs = await target.sequences(placed.flatMap(({ place }) => (place === null ? [] : [place.table])));
  const reports: SequenceReport[] = [];
  const seen = new Set<string>();
  for (const { sequence, place } of placed) {
    const found = theirs.find(
      ({ table, column }) => place !== null && tableLabel(table) === tableLabel(place.table) && column === place.column,
    );
    // Of columns that share a sequence at both sides the first one stands for all.
    const pair = `${tableLabel(sequence.name)} > ${found === undefined ? sequence.column : tableLabel(found.name)}`;
    if (seen.has(pair)) continue;
    seen.add(pair);
    const common = {
      source: tableLabel(sequence.name),
      column: `${tableLabel(sequence.table)}.${sequence.column}`,
      target: found === undefined ? null : tableLabel(found.name),
      sourceValue: sequence.value.toString(),
      targetValue: found?.value.toString() ?? null,
      value: null,
      reason: null,
    };
    if (place === null) reports.push({ ...common, outcome: 'notCarried' });
    else if (found === undefined) reports.push({ ...common, outcome: 'missing' });
    else reports.push({ ...common, ...(await carry(target, moveOf(sequence, found))) });
  }
  return reports;
}

/** Those of the same name; a sequence that is carried for a column is not carried twice. */
async function carryNamed(
  { source, target, which }: CarryOptions,
  carried: ReadonlySet<string>,
): Promise<readonly SequenceReport[]> {
  if (which.include.length === 0) return [];
  const theirs = new Map((await target.namedSequences(which.include)).map((one) => [tableLabel(one.name), one]));
  const reports: SequenceReport[] = [];
  for (const sequence of await source.namedSequences(which.include)) {
    const label = tableLabel(sequence.name);
    if (carried.has(label) || isExcluded(which, sequence.name)) continue;
    const found = theirs.get(label);
    const common = {
      source: label,
      column: null,
      target: found === undefined ? null : label,
      sourceValue: sequence.value.toString(),
      targetValue: found?.value.toString() ?? null,
      value: null,
      reason: null,
    };
    if (found === undefined) reports.push({ ...common, outcome: 'missing' });
    else reports.push({ ...common, ...(await carry(target, moveOf(sequence, found))) });
  }
  return reports;
}

function isExcluded({ exclude }: RouteDefinition['sequences'], { schema, name }: TableName): boolean {
  return exclude.some((pattern) => pattern.matches(schema, name));
}

async function carry(
  target: Pick<Target, 'setSequence'>,
  move: SequenceMove | Extract<SequenceOutcome, 'same' | 'ahead' | 'outOfRange'>,
): Promise<Partial<SequenceReport> & Pick<SequenceReport, 'outcome'>> {
  if (typeof move === 'string') return { outcome: move };
  const done = await target.setSequence(move);
  if (typeof done === 'object') return { outcome: 'refused', reason: done.refused };
  return done === 'set' ? { outcome: 'carried', value: move.value.toString() } : { outcome: 'ahead' };
}

/** What the target's sequence is to become: never a step back, in the direction in which it counts. */
export function moveOf(
  source: SequenceState,
  target: SequenceState,
): SequenceMove | Extract<SequenceOutcome, 'same' | 'ahead' | 'outOfRange'> {
  const value = onGrid(source, target);
  if (value < target.min || value > target.max) return 'outOfRange';
  if (value === target.value && source.called === target.called) return 'same';
  // One that begins again at its end has no order: it becomes what the source's is.
  const isOrderless = source.cycles && target.cycles;
  const move: SequenceMove = { target, value, called: source.called, isOrderless };
  if (isOrderless) return move;
  const next = nextOf({ ...target, value, called: source.called });
  const theirs = nextOf(target);
  if (next === theirs) return 'same';
  return target.increment > 0n === next > theirs ? move : 'ahead';
}

function nextOf({ value, called, increment }: Pick<SequenceState, 'value' | 'called' | 'increment'>): bigint {
  return called ? value + increment : value;
}

/**
 * Sequences that leave room for each other (odd here, even there) keep to their own numbers: the next of them. Which these are tells the number that the
 * target gives next, and not its START, which a RESTART leaves as it was.
 */
function onGrid(source: SequenceState, target: SequenceState): bigint {
  const { increment, value } = target;
  const beyond = (source.value - value) % increment;
  if (beyond === 0n) return source.value;
  const isAhead = beyond > 0n === increment > 0n;
  return source.value - beyond + (isAhead ? increment : 0n);
}

function targetColumn(
  { source, tables, outputs: [output] }: ReturnType<TableMapper['bind']>,
  column: string,
): { readonly table: TableName; readonly column: string } | null {
  const index = source.columns.findIndex(({ name }) => name === column);
  if (tables.length > 1 || index < 0) return null;
  const at = output.projection === null ? index : output.projection.indexOf(index);
  const found = output.table.columns[at];
  return found === undefined ? null : { table: output.table, column: found.name };
}
