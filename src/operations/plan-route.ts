import { canonicalJson } from '../core/canonical-json.ts';
import type { DescribedTable, RouteDescription } from '../core/route-description.ts';
import type { PendingChange } from '../core/route-state-store.ts';
import { type TableName, tableLabel } from '../core/table.ts';
import { parseTablePattern } from '../core/table-pattern.ts';
import { settingText } from './setting-text.ts';

/** What a plan is made of. */
export interface PlanFacts {
  /** What the route was applied with last; null where it was never loaded, or by an engine that did not store it. */
  readonly applied: RouteDescription | null;
  readonly wanted: RouteDescription;
  /** The tables that the route has begun with, and where their rows go. */
  readonly stored: readonly { readonly source: string; readonly target: string }[];
  /** The tables of `wanted` that the source has now, and where their rows are to go. */
  readonly present: readonly { readonly table: TableName; readonly target: string }[];
  /** The source is the one that the checkpoint was made with. */
  readonly isSameSource: boolean;
  /** Labels of tables whose rows stay as they are though they would now be mapped otherwise. */
  readonly keepRows: readonly string[];
  /** Whether two expressions mean the same; by their texts where absent. */
  sameExpression?(a: string, b: string): boolean;
}

/**
 * What is done about one table. `target` is where its rows go, several where transforms spread them. Part of `plan --json`:
 * keys and actions are added and never change their meaning.
 */
export type TableStep =
  /** Followed from now on, and loaded but with load: none. */
  | (Step & { readonly action: 'add'; readonly loads: boolean; readonly replaced: readonly string[] })
  /** No longer followed; the target's rows stay. */
  | (Step & { readonly action: 'drop' })
  /** Loaded into another target table; the rows of the one before stay. */
  | (Step & { readonly action: 'move'; readonly before: string; readonly replaced: readonly string[] })
  /** Its rows would now be others: they are replaced by a load. */
  | (Step & {
      readonly action: 'reload';
      readonly changed: readonly MappingPart[];
      readonly replaced: readonly string[];
    })
  /** As `reload` or `move`, but the rows stay as they are, and only what comes later is mapped anew. */
  | (Step & { readonly action: 'remap'; readonly before: string; readonly changed: readonly MappingPart[] });

interface Step {
  readonly source: string;
  readonly target: string;
}

/** Target tables whose rows this route has brought, and that are deleted before the load. */
export function replacedBy(step: TableStep): readonly string[] {
  return 'replaced' in step ? step.replaced : [];
}

export type MappingPart = 'where' | 'key' | 'columns' | 'transforms' | 'owns';

export interface SettingChange {
  /** As in the configuration: `apply.groupRows`. */
  readonly name: string;
  /** Durations in milliseconds, sizes in bytes; null: not set. */
  readonly before: unknown;
  readonly after: unknown;
  /** All of it in words, with units. */
  readonly text: string;
}

/** Why a change can't be made to a route that has been loaded. */
export type Refusal = 'source' | 'slot' | 'publication';

export interface RoutePlan {
  readonly tables: readonly TableStep[];
  readonly settings: readonly SettingChange[];
  readonly refused: readonly Refusal[];
}

/** What has to change so that the route does what is configured now. Nothing where nothing is known of what it did before. */
export function planRoute(facts: PlanFacts): RoutePlan {
  const { applied, wanted } = facts;
  if (applied === null) return { tables: [], settings: [], refused: [] };
  const refused: Refusal[] = [];
  if (!facts.isSameSource) refused.push('source');
  for (const key of ['slot', 'publication'] as const) if (applied[key] !== wanted[key]) refused.push(key);
  return { tables: tableSteps(applied, facts), settings: settingChanges(applied, wanted), refused };
}

/** Whether what was agreed to is what the plan says now: tables may have come, gone or moved since. */
export function isAsAgreed({ tables }: Pick<RoutePlan, 'tables'>, { steps }: Pick<PendingChange, 'steps'>): boolean {
  return steps === undefined || canonicalJson(steps) === canonicalJson(tables);
}

export function isEmpty({ tables, settings, refused }: RoutePlan): boolean {
  return tables.length + settings.length + refused.length === 0;
}

/** Rows that are there go, or are no longer what the source's are: somebody has to say yes. */
export function needsConsent({ tables }: RoutePlan): boolean {
  return tables.some((step) => step.action !== 'add' || step.replaced.length > 0);
}

/** True where what is parked, mapped as before, can still be applied after it: to the same tables, told apart by the same keys, with no row copied since. */
export function leavesParked(step: TableStep): boolean {
  if (step.action === 'add') return true;
  return step.action === 'remap' && step.before === step.target && !step.changed.includes('key');
}

/** True where the rows of the source are copied. */
export function isCopied(step: TableStep): boolean {
  return step.action === 'move' || step.action === 'reload' || (step.action === 'add' && step.loads);
}

function tableSteps(applied: RouteDescription, facts: PlanFacts): readonly TableStep[] {
  const { wanted, stored, present, keepRows } = facts;
  const before = new Map(stored.map(({ source, target }) => [source, target]));
  const own = new Set([...before.values()].flatMap(targetsOf));
  const ownOf = (target: string): string[] => targetsOf(target).filter((label) => own.has(label));
  const now = new Map(present.map(({ table, target }) => [tableLabel(table), { table, target }]));
  const { mode } = (wanted.settings.load ?? {}) as { readonly mode?: string };
  const loads = mode !== 'none';
  const steps: TableStep[] = [];
  for (const [source, target] of before) {
    const here = now.get(source);
    if (here === undefined) {
      if (!mayMean(wanted, source)) steps.push({ action: 'drop', source, target });
      continue;
    }
    const changed = changedParts(ruleFor(applied, here.table), ruleFor(wanted, here.table), facts.sameExpression);
    const isMoved = here.target !== target;
    if (changed.length === 0 && !isMoved) continue;
    const step = { source, target: here.target };
    if (keepRows.includes(source)) steps.push({ action: 'remap', ...step, before: target, changed });
    else if (isMoved) steps.push({ action: 'move', ...step, before: target, replaced: ownOf(here.target) });
    else steps.push({ action: 'reload', ...step, changed, replaced: targetsOf(here.target) });
  }
  for (const [source, { table, target }] of now) {
    // One that a glob has meant before, and that came later: that is what `newTables` is for.
    if (before.has(source) || (!isNamed(wanted, table) && ruleFor(applied, table) !== null)) continue;
    steps.push({ action: 'add', source, target, loads, replaced: loads ? ownOf(target) : [] });
  }
  return steps.toSorted((a, b) => (a.source < b.source ? -1 : 1));
}

/** What a route is configured to do but for tables that globs mean, as if each were excluded. */
export function without(description: RouteDescription, labels: readonly string[]): RouteDescription {
  return { ...description, exclude: [...description.exclude, ...labels.map(quotedLabel)] };
}

function targetsOf(target: string): string[] {
  return target.split(', ');
}

/** As the configuration chooses: a name beats every glob, and `exclude` is about globs only. */
function ruleFor({ tables, exclude }: RouteDescription, table: TableName): DescribedTable | null {
  const label = tableLabel(table);
  const globs: DescribedTable[] = [];
  for (const rule of tables) {
    const pattern = parseTablePattern(rule.name);
    if (pattern.exact !== null && tableLabel(pattern.exact) === label) return rule;
    if (pattern.exact === null && pattern.matches(table.schema, table.name)) globs.push(rule);
  }
  if (exclude.some((text) => parseTablePattern(text).matches(table.schema, table.name))) return null;
  return globs[0] ?? null;
}

function isNamed({ tables }: RouteDescription, table: TableName): boolean {
  return tables.some(({ name }) => {
    const { exact } = parseTablePattern(name);
    return exact !== null && tableLabel(exact) === tableLabel(table);
  });
}

/** A table that is gone from the source, and still meant, is none that was taken out of the configuration. */
function mayMean(description: RouteDescription, label: string): boolean {
  const { exact } = parseTablePattern(quotedLabel(label));
  return exact !== null && ruleFor(description, exact) !== null;
}

/** A label quotes only what would be ambiguous; a pattern wants quotes around all but small letters. */
function quotedLabel(label: string): string {
  const parts = label.match(/"(?:[^"]|"")*"|[^."]+/g) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part : `"${part}"`)).join('.');
}

function changedParts(
  before: DescribedTable | null,
  after: DescribedTable | null,
  sameExpression: PlanFacts['sameExpression'],
): MappingPart[] {
  const parts: Record<MappingPart, (rule: DescribedTable | null) => unknown> = {
    where: (rule) => rule?.where,
    key: (rule) => rule?.key,
    columns: (rule) => [rule?.include ?? null, rule?.exclude ?? [], rule?.rename ?? {}],
    transforms: (rule) => rule?.transforms ?? [],
    owns: (rule) => rule?.owns,
  };
  const isSame = (part: 'where' | 'owns'): boolean => {
    const [old, now] = [before?.[part], after?.[part]];
    return old !== undefined && now !== undefined && sameExpression?.(old, now) === true;
  };
  return (Object.keys(parts) as MappingPart[]).filter(
    (part) =>
      canonicalJson(parts[part](before) ?? null) !== canonicalJson(parts[part](after) ?? null) &&
      !((part === 'where' || part === 'owns') && isSame(part)),
  );
}

function settingChanges(applied: RouteDescription, wanted: RouteDescription): SettingChange[] {
  const before = flat({ from: applied.from, to: applied.to, ...applied.settings });
  const after = flat({ from: wanted.from, to: wanted.to, ...wanted.settings });
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => canonicalJson(before.get(name)) !== canonicalJson(after.get(name)))
    .toSorted()
    .map((name) => {
      const [old, now] = [before.get(name) ?? null, after.get(name) ?? null];
      return { name, before: old, after: now, text: settingText(name, old, now) };
    });
}

function flat(value: object, prefix = ''): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
      for (const [name, leaf] of flat(inner, `${prefix}${key}.`)) found.set(name, leaf);
    else if (inner !== undefined) found.set(`${prefix}${key}`, inner);
  }
  return found;
}
