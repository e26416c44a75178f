import { randomInt } from 'node:crypto';
import type { CompareSide, RowHash, SideTable } from '../../core/compare-side.ts';
import { nodeErrors } from '../../core/errors/catalogue/node.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { transformErrors } from '../../core/errors/catalogue/transform.ts';
import { fail, TidelockError } from '../../core/errors/tidelock-error.ts';
import type { JobDocument } from '../../core/job.ts';
import type { StoredTable } from '../../core/route-state-store.ts';
import { type TableVersion, tableLabel } from '../../core/table.ts';
import { parseTablePattern } from '../../core/table-pattern.ts';
import type { TableCarrier } from '../../core/target.ts';
import type { Output, TableBinding } from '../../pipeline/mapping/table-binding.ts';
import { TableMapper } from '../../pipeline/table-mapper.ts';
import type { JobWork, RunJob } from '../jobs/job-work.ts';
import { namedTables, notATable } from '../not-a-table.ts';
import type { CompareDocument, ComparedTable, CompareProgress, TableProgress } from './compare-document.ts';
import { type CompareOptions, compareOptions } from './compare-options.ts';
import { compareTable, type TableState, untouched } from './compare-table.ts';
import { noCounts } from './found-differences.ts';
import { judgeOf } from './judge-of.ts';
import { leftByIntent, thereCondition } from './left-by-intent.ts';
import { StreamFreezer } from './stream-freezer.ts';
import { type PlanSides, planTable, type TablePlan, type UnverifiedTable } from './table-plan.ts';

export type Planned = TablePlan | UnverifiedTable;

/** How often what was done is stored: what was not is done again after a crash. */
const storeMs = 1_000;

/** Compares the tables of a route, one after the other, and goes on behind the last chunk that was stored. */
export const compareJob: RunJob = async (work) => {
  const options = compareOptions(work.job.options);
  await using sides = openSides(work);
  const { mapper, planned } = await planTables(work, options, sides);
  const stored = await work.store.jobs.steps(work.job.number);
  const hash = await chooseHash(work, sides, stored.get('hash'));
  const digestKey = await work.store.jobs.digestKey();
  const progress = new Progress(work, planned, stored);
  const judge = judgeOf({
    route: work.definition.name,
    live: work.live,
    mapper,
    target: sides.target,
    signal: work.signal,
    otherWay: await work.otherWay(),
    demands: false,
  });
  const freezer = freezerOf(work, sides);
  for (const plan of planned) {
    if (plan.kind === 'unverified') continue;
    const from = progress.stateOf(plan);
    if (from.done) continue;
    const { showValues, sample, maxLoad } = options;
    const { source, target } = sides;
    const onState = (state: TableState): Promise<void> => progress.reached(plan, state);
    const { signal } = work;
    await compareTable(
      {
        freezer,
        plan,
        hash,
        source,
        target,
        mapper,
        judge,
        showValues,
        digestKey,
        sample,
        maxLoad,
        signal,
        onState,
      },
      from,
    );
  }
  await progress.store();
  return progress.document(options) as unknown as JobDocument;
};

export function freezerOf({ definition, live, signal }: JobWork, { source, target }: Sides): StreamFreezer {
  return new StreamFreezer({ route: definition.name, live, source, target, signal });
}

export interface Sides extends AsyncDisposable {
  readonly source: CompareSide;
  readonly target: CompareSide;
}

export function openSides({ source, target, signal }: JobWork): Sides {
  const here = source.compareSide(signal);
  const there = target.compareSide(signal);
  return {
    source: here,
    target: there,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([here.close(), there.close()]);
    },
  };
}

export async function planTables(
  { definition, source, target, store }: JobWork,
  options: CompareOptions,
  sides: Sides,
): Promise<{ readonly mapper: TableMapper; readonly planned: readonly Planned[] }> {
  await definition.tables.prepare();
  const mapper = new TableMapper(definition.name, definition.tables);
  const [stored, now] = await Promise.all([store.tables(), source.tables()]);
  for (const table of stored) if (table.definition !== null) mapper.adjust(table.definition, table.definition);
  const carried = new Set(stored.map((table) => table.source));
  const all = now.filter((table) => carried.size === 0 || carried.has(tableLabel(table)));
  const bindings = chosenTables(definition.name, options.tables, all).map((table) => mapper.bind(table));
  const outputs = bindings.flatMap((binding) => binding.tables);
  const [here, there] = await Promise.all([
    sides.source.tables(bindings.map((binding) => binding.source)),
    sides.target.tables(outputs),
  ]);
  const find = (tables: readonly SideTable[], table: TableVersion): SideTable | null =>
    tables.find((one) => tableLabel(one) === tableLabel(table)) ?? null;
  const named = new Set(now.map(tableLabel));
  const gone = stored.filter((table) => !named.has(table.source) && isAsked(table, options.tables));
  const planned: Planned[] = gone.map(({ source: name, target }) => missingTable(name, target));
  let refused: TidelockError | null = null;
  let fitting = 0;
  for (const binding of bindings) {
    const own = find(here, binding.source);
    if (own === null) {
      planned.push(...binding.tables.map((table) => missingTable(tableLabel(binding.source), tableLabel(table))));
      continue;
    }
    const conditions = new Map<Output, PlanSides['conditions']>();
    const refusals = new Map<Output, string>();
    const carriers = new Map<Output, TableCarrier>();
    for (const output of binding.outputs) {
      // It is told as not verified.
      if (find(there, output.table) === null) continue;
      const carrier = (await target.carrier?.(output.table)) ?? null;
      if (carrier !== null) carriers.set(output, carrier);
      try {
        conditions.set(output, await conditionsOf(definition, options, { binding, output, carrier, sides }));
        fitting++;
      } catch (error) {
        // A table that was asked for by its name is to be compared; of others the condition may not be meant for all.
        if (options.where === null || !isOfCondition(error) || isNamed(binding.source, options.tables)) throw error;
        refused ??= error;
        refusals.set(output, `${error.code}: ${error.message}`);
      }
    }
    planned.push(
      ...planTable(binding, (output) => ({
        source: own,
        target: find(there, output.table),
        conditions: conditions.get(output) ?? { source: null, target: null },
        refusal: refusals.get(output) ?? null,
        carrier: carriers.get(output) ?? null,
      })),
    );
  }
  // A condition that fits none of them is a mistake.
  if (refused !== null && fitting === 0) throw refused;
  return { mapper, planned };
}

/** What a table says of a condition that is not about its columns, or that can't be asked of them at both sides. */
function isOfCondition(error: unknown): error is TidelockError {
  const kinds = [transformErrors.expression, routeErrors.conditionChanged, nodeErrors.notYet];
  return error instanceof TidelockError && kinds.some(({ code }) => code === error.code);
}

function isNamed({ schema, name }: TableVersion, patterns: readonly string[]): boolean {
  return patterns.some((text) => {
    const exact = namedTables(text)?.exact;
    return exact?.schema === schema && exact.name === name;
  });
}

/** The target may well have rows of it. */
function missingTable(name: string, target: string): UnverifiedTable {
  return { kind: 'unverified', name, target, why: 'it is not there at the source' };
}

function isAsked({ definition }: StoredTable, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  return patterns.some(
    (text) => definition !== null && parseTablePattern(text).matches(definition.schema, definition.name),
  );
}

/** What was asked for by name has to be there. */
function chosenTables(
  route: string,
  patterns: readonly string[],
  tables: readonly TableVersion[],
): readonly TableVersion[] {
  if (patterns.length === 0) return tables;
  const chosen = new Set<TableVersion>();
  for (const text of patterns) {
    const pattern = namedTables(text);
    const matching = tables.filter(({ schema, name }) => pattern?.matches(schema, name));
    if (matching.length === 0) throw notATable(route, text, tables.map(tableLabel));
    for (const table of matching) chosen.add(table);
  }
  return tables.filter((table) => chosen.has(table));
}

interface ConditionPlace {
  readonly binding: TableBinding;
  readonly output: Output;
  /** Null where both sides are of one family. */
  readonly carrier: TableCarrier | null;
  readonly sides: Sides;
}

/** The same condition at both sides: of columns that travel as they are. It is read by the route's own language first. */
async function conditionsOf(
  { tables, name: route }: JobWork['definition'],
  { where }: CompareOptions,
  { binding, output, carrier, sides }: ConditionPlace,
): Promise<PlanSides['conditions']> {
  const marked = thereCondition(leftByIntent(binding, output));
  const parts = [marked, output.owns?.text ?? null].filter((part) => part !== null);
  const texts = await Promise.all(
    parts.map(async (text) => {
      const plain = (await tables.condition(text)).plain(output.table.columns);
      return await sides.target.condition({ table: output.table, text, plain, names: new Map() });
    }),
  );
  const there = texts.length === 0 ? null : texts.map((text) => `(${text}\n)`).join(' and ');
  if (where === null) return { source: null, target: there };
  const { source } = binding;
  const table = tableLabel(source);
  const expression = await tables.condition(where);
  expression.bind({ route, table, columns: source.columns, as: 'condition' });
  const names = new Map<string, string>();
  for (const column of expression.columns) {
    const from = source.columns.findIndex((one) => one.name === column);
    const at = output.lineage.findIndex(({ injectiveOf, by }) => injectiveOf === from && by === '');
    const to = output.table.columns[at]?.name;
    if (to === undefined || carrier?.keeps(to) === false)
      throw fail(routeErrors.conditionChanged, { route, table, column });
    names.set(column, to);
  }
  const asked = { text: where, plain: expression.plain(source.columns) };
  const [onSource, onTarget] = await Promise.all([
    sides.source.condition({ ...asked, table: source, names: new Map() }),
    sides.target.condition({ ...asked, table: output.table, names }),
  ]);
  return { source: onSource, target: there === null ? onTarget : `(${onTarget}\n) and ${there}` };
}

/** The same one when the job goes on. */
export async function chooseHash(
  { store, job }: JobWork,
  sides: Sides,
  stored: JobDocument | undefined,
): Promise<RowHash> {
  if (stored !== undefined) return stored as unknown as RowHash;
  const seed = String(randomInt(1, 2 ** 47));
  const [here, there] = await Promise.all([sides.source.probe(seed), sides.target.probe(seed)]);
  const hash: RowHash = { kind: here === there ? 'server' : 'portable', seed };
  await store.jobs.storeSteps(job.number, { hash: { ...hash } });
  return hash;
}

/** What is stored of a compare, and told of it. */
export class Progress {
  readonly #work: JobWork;
  readonly #planned: readonly Planned[];
  readonly #states = new Map<string, TableState>();
  readonly #beganMs = performance.now();
  #before = 0;
  #storedAtMs = 0;
  readonly #touched = new Set<string>();
  /** Of all rows. */
  readonly #share: number;
  #comparing: string | null = null;

  constructor(work: JobWork, planned: readonly Planned[], stored: ReadonlyMap<string, JobDocument>) {
    this.#work = work;
    this.#planned = planned;
    this.#share = compareOptions(work.job.options).sample ?? 1;
    for (const { target } of planned) {
      const state = stored.get(stepOf(target)) as TableState | undefined;
      if (state !== undefined) this.#states.set(target, state);
      this.#before += state?.rows ?? 0;
    }
  }

  stateOf({ target }: Planned): TableState {
    return this.#states.get(target) ?? untouched;
  }

  async reached({ target }: TablePlan, state: TableState): Promise<void> {
    this.#states.set(target, state);
    this.#touched.add(target);
    this.#comparing = state.done ? null : target;
    if (performance.now() - this.#storedAtMs >= storeMs) await this.store();
  }

  async store(): Promise<void> {
    const { store, job } = this.#work;
    const steps = [...this.#touched].map((target) => [stepOf(target), { ...this.#states.get(target) }]);
    this.#touched.clear();
    if (steps.length > 0) await store.jobs.storeSteps(job.number, Object.fromEntries(steps));
    await store.jobs.setProgress(job.number, { ...this.#progress() });
    this.#storedAtMs = performance.now();
  }

  #progress(): CompareProgress {
    const tables = this.#planned.map((plan): TableProgress => {
      const { examples: _, ...table } = this.#table(plan);
      const { done } = this.stateOf(plan);
      const total = plan.kind === 'unverified' ? 0 : Math.max(Math.round(this.#share * plan.estimatedRows), table.rows);
      const isDone = done || plan.kind === 'unverified';
      const state = isDone ? 'done' : plan.target === this.#comparing ? 'comparing' : 'waiting';
      return { ...table, total: isDone ? table.rows : total, state };
    });
    const done = tables.reduce((sum, { rows }) => sum + rows, 0);
    const seconds = (performance.now() - this.#beganMs) / 1000;
    return {
      done,
      total: tables.reduce((sum, { total }) => sum + total, 0),
      rowsPerSecond: Math.round((done - this.#before) / Math.max(seconds, 0.001)),
      tables,
    };
  }

  #table(plan: Planned): ComparedTable {
    const { name, target } = plan;
    if (plan.kind === 'unverified') return { name, target, rows: 0, ...noCounts, unverified: plan.why, examples: [] };
    const { rows, counts, examples } = this.stateOf(plan);
    return { name, target, rows, ...counts, unverified: null, examples };
  }

  document(options: CompareOptions): CompareDocument {
    const tables = this.#planned.map((plan) => this.#table(plan));
    const isEqual = tables.every(
      ({ missing, extra, different, undecided, unverified }) =>
        missing + extra + different + undecided === 0 && unverified === null,
    );
    const route = this.#work.definition.name;
    // A part of the rows says nothing of the others.
    const isWhole = options.sample === null && options.where === null;
    return { version: 1, route, equal: isEqual, ...(!isWhole && { partial: true as const }), tables };
  }
}

function stepOf(target: string): string {
  return `table ${target}`;
}
