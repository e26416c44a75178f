import { didYouMean } from '../core/nearest-name.ts';
import type { OwnedShare } from '../core/owned-share.ts';
import type { NodeDefinition, NodeType, RouteDefinition } from '../core/route.ts';
import type { RouteDescription } from '../core/route-description.ts';
import { tableLabel } from '../core/table.ts';
import { parseTablePattern } from '../core/table-pattern.ts';
import type { Conversions } from '../core/types/conversions.ts';
import { ExpressionProblem } from '../expression/expression.ts';
import { builtInTransform, resolvedLate } from './built-in-transforms.ts';
import { checkAllow } from './check-allow.ts';
import { checkVendors } from './check-vendors.ts';
import { configuredExpression, problemText } from './configured-expression.ts';
import { configuredShare } from './configured-share.ts';
import { describeRoute } from './describe-route.ts';
import { at, type Located, type Path, placeOf } from './located.ts';
import { Problems } from './problem.ts';
import { type ReferenceSource, resolveTree } from './references.ts';
import { type RouteData, routeSchema } from './schema/route-schema.ts';
import { later, scalars } from './schema/scalars.ts';
import { collisionRules, type TableRule, tableSelection, wholeTable } from './table-selection.ts';
import type { TransformContextOptions } from './transforms/transform-context.ts';
import { validate } from './validate.ts';

const schema = routeSchema(scalars('resolved'));

/** Types of targets whose tables routes can share. */
const sharing: ReadonlySet<NodeType> = new Set(['postgres', 'mysql', 'mariadb']);

export interface RouteSource {
  readonly name: string;
  /** With the file's `defaults` laid under it. */
  readonly tree: Located;
  readonly references: ReferenceSource;
  readonly file: string;
  readonly nodeNames: readonly string[];
  /** Null where it can't be told yet. */
  nodeType(name: string): NodeType | null;
}

/** A route whose references are resolved and which was checked as far as can be without its databases. */
export interface CheckedRoute {
  readonly data: RouteData;
  readonly rules: readonly TableRule[];
}

export function checkRoute(source: RouteSource, problems: Problems): CheckedRoute | null {
  const { name, references } = source;
  const path = ['routes', name];
  const tree = resolveTree(source.tree, path, { source: references, problems, keep: resolvedLate });
  if (!problems.empty) return null;
  const data = validate(schema, tree, { path, problems });
  if (data === null) return null;
  const check = new RouteCheck(source, { tree, problems });
  const rules = check.run(data);
  return problems.empty ? { data, rules } : null;
}

export function routeDefinition(
  deployment: string,
  source: RouteSource,
  node: (name: string) => NodeDefinition,
): { definition: RouteDefinition; data: RouteData; digests: readonly string[] } {
  const problems = new Problems(source.file);
  const checked = checkRoute(source, problems);
  if (checked === null) throw problems.error();
  const { data, rules } = checked;
  const { apply, limits, collisions } = data;
  let description: RouteDescription | null = null;
  const definition: RouteDefinition = {
    deployment,
    name: source.name,
    from: node(data.from),
    to: node(data.to),
    tables: tableSelection(source.name, rules, data.exclude),
    load: {
      mode: data.load.mode,
      existing: data.load.existing,
      wholeUpToBytes: data.load.wholeUpTo,
      limits: {
        rowsPerSecond: data.load.limits.rows ?? null,
        bytesPerSecond: data.load.limits.bytes ?? null,
        maxLoad: data.load.limits.maxLoad ?? null,
        lagMs: data.load.limits.lag,
      },
    },
    forward: data.forward,
    newTables: data.newTables,
    sequencesEveryMs: data.sequences.carry === 'interval' ? data.sequences.interval : null,
    sequences: {
      include: data.sequences.include.map(parseTablePattern),
      exclude: data.sequences.exclude.map(parseTablePattern),
    },
    schemaChanges: data.schemaChanges,
    ddl: data.ddl,
    compare: { everyMs: data.compare.every ?? null, maxLoad: data.compare.maxLoad },
    convert: definedOnly(data.convert),
    collisions: collisionRules(source.name, collisions.default, collisions.tables),
    apply: {
      groupRows: apply.groupRows,
      groupTimeMs: apply.groupTime,
      lanes: apply.lanes,
      onError: apply.onError,
      maxRowBytes: apply.maxRowBytes,
      memoryBytes: apply.memory,
    },
    limits: {
      lag: { warnMs: limits.lag.warn, criticalMs: limits.lag.critical },
      retained: { warnBytes: limits.retained.warn, criticalBytes: limits.retained.critical },
      memoryBytes: limits.memory ?? null,
    },
    journal: { keepMs: data.journal.keep, entries: data.journal.entries },
    allow: data.allow,
    given: {
      ...(data.slot !== undefined && { slot: data.slot }),
      ...(data.publication !== undefined && { publication: data.publication }),
    },
    describe: () => {
      description ??= describeRoute({ deployment, data, rules });
      return description;
    },
  };
  const digests = rules.flatMap(({ transforms }) => transforms.flatMap(({ digest }) => digest ?? []));
  return { definition, data, digests };
}

/** Keys that are left out are no keys. */
function definedOnly(convert: RouteData['convert']): Conversions {
  return Object.fromEntries(Object.entries(convert).filter(([, value]) => value !== undefined));
}

/** What the schema alone can't tell: what keys mean together. */
class RouteCheck {
  readonly #source: RouteSource;
  readonly #tree: Located;
  readonly #problems: Problems;
  readonly #path: Path;

  constructor(source: RouteSource, { tree, problems }: { tree: Located; problems: Problems }) {
    this.#source = source;
    this.#tree = tree;
    this.#problems = problems;
    this.#path = ['routes', source.name];
  }

  run(data: RouteData): TableRule[] {
    const { nodeNames, nodeType } = this.#source;
    for (const key of ['from', 'to'] as const)
      if (!nodeNames.includes(data[key]))
        this.#complain([key], `there is no such node${didYouMean(data[key], nodeNames)}`);
    if (data.from === data.to) this.#complain(['to'], 'is the same node as from');
    const [from, to] = [nodeType(data.from), nodeType(data.to)];
    if (from !== null && to !== null)
      for (const { path, message } of checkVendors(from, to, data)) this.#complain(path, message);
    for (const key of ['lag', 'retained'] as const)
      if (data.limits[key].warn > data.limits[key].critical)
        this.#complain(['limits', key], 'warn must not be above critical');
    if (data.slot !== undefined && !/^[a-z0-9_]{1,63}$/.test(data.slot))
      this.#complain(['slot'], 'wants the name of a slot: small letters, digits and underscores, at most 63');
    if (data.publication !== undefined && Buffer.byteLength(data.publication) > 63)
      this.#complain(['publication'], 'is longer than 63 bytes');
    if (data.ddl === 'replicate' && data.forward === 'all')
      this.#complain(
        ['ddl'],
        'replicate stands beside forward: all: commands that another route brought are not passed on',
      );
    checkAllow(data.allow, 'route', { node: this.#tree, path: this.#path, problems: this.#problems });
    const rules = data.tables.map((_, index) => this.#tableRule(data, index));
    this.#unique(
      rules.map(({ name }) => name),
      (index) => ['tables', index],
    );
    this.#unique(Object.keys(data.collisions.tables), (index) => [
      'collisions',
      'tables',
      Object.keys(data.collisions.tables)[index] ?? '',
    ]);
    this.#exclude(data, rules);
    if (this.#problems.empty) this.#targets(rules);
    return rules;
  }

  #tableRule(data: RouteData, index: number): TableRule {
    const table = data.tables[index];
    if (table === undefined || typeof table === 'string') return { ...wholeTable, name: table ?? '' };
    const path = ['tables', index];
    const { include: includedColumns = null, exclude: excludedColumns = [] } = table.columns ?? {};
    if (includedColumns !== null && excludedColumns.length > 0)
      this.#complain([...path, 'columns', 'exclude'], 'stands beside include: one of the two is enough');
    const renamedColumns = new Map(Object.entries(table.columns?.rename ?? {}));
    for (const [from, to] of renamedColumns) {
      const where = [...path, 'columns', 'rename', from];
      if (excludedColumns.includes(from)) this.#complain(where, 'is excluded, so it cannot have another name');
      const other = [...renamedColumns].find(([name, target]) => target === to && name !== from)?.[0];
      if (other !== undefined) this.#complain(where, `${other} has the same new name`);
    }
    const transforms = (table.transforms ?? []).flatMap((transform, place) => {
      const here = [...path, 'transforms', place];
      const { file, references } = this.#source;
      const optionsOf = (name: string): TransformContextOptions => {
        const inner = [...here, name];
        const tree = at(this.#tree, inner) ?? this.#tree;
        return { file, tree, path: [...this.#path, ...inner], references, problems: this.#problems };
      };
      return builtInTransform(transform, optionsOf) ?? [];
    });
    const { name, to = null, key = null } = table;
    const where = table.where === undefined ? null : configuredExpression(table.where);
    const owns = this.#share(data, table.owns, [...path, 'owns']);
    const loadPriority = table.load?.priority ?? 0;
    return { name, to, where, key, includedColumns, excludedColumns, renamedColumns, transforms, owns, loadPriority };
  }

  #share(data: RouteData, text: string | undefined, path: Path): OwnedShare | null {
    if (text === undefined) return null;
    const type = this.#source.nodeType(data.to);
    if (type !== null && !sharing.has(type)) this.#complain(path, `${later}shares of target tables of type ${type}`);
    if (data.ddl === 'replicate')
      this.#complain(path, 'stands beside ddl: replicate: a command of one source would change the table of all');
    if (data.schemaChanges === 'evolve')
      this.#complain(path, 'stands beside schemaChanges: evolve: columns of one source are not those of all');
    try {
      return configuredShare(text);
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      this.#complain(path, problemText(error));
      return null;
    }
  }

  #unique(names: readonly string[], path: (index: number) => Path): void {
    const seen = new Map<string, number>();
    for (const [index, name] of names.entries()) {
      const { exact, text } = parseTablePattern(name);
      const label = exact === null ? text : tableLabel(exact);
      if (seen.has(label)) this.#complain(path(index), 'is there already');
      seen.set(label, index);
    }
  }

  #exclude(data: RouteData, rules: readonly TableRule[]): void {
    const named = new Set(rules.map(({ name }) => parseTablePattern(name).exact).map((t) => (t ? tableLabel(t) : '')));
    for (const [index, text] of data.exclude.entries()) {
      const { exact } = parseTablePattern(text);
      if (exact !== null && named.has(tableLabel(exact))) this.#complain(['exclude', index], 'is also named in tables');
    }
  }

  #targets(rules: readonly TableRule[]): void {
    const targets = new Map<string, string>();
    for (const [index, rule] of rules.entries()) {
      const { exact } = parseTablePattern(rule.name);
      if (exact === null) continue;
      const target = tableLabel(
        tableSelection(this.#source.name, [rule], []).select(exact.schema, exact.name)?.target ?? exact,
      );
      const other = targets.get(target);
      if (other !== undefined) this.#complain(['tables', index], `goes to ${target}, as ${other} does`);
      targets.set(target, rule.name);
    }
  }

  #complain(path: Path, message: string): void {
    const place = placeOf(this.#tree, path);
    this.#problems.add({ kind: 'invalid', place, path: [...this.#path, ...path], message });
  }
}
