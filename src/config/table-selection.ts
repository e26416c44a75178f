import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Expression } from '../core/expression.ts';
import type { OwnedShare } from '../core/owned-share.ts';
import type { CollisionResolution, CollisionRules, TableSelection } from '../core/route.ts';
import { tableLabel } from '../core/table.ts';
import type { ConfiguredTransform, MappedTable } from '../core/table-mapping.ts';
import { parseTablePattern, parseTargetTemplate } from '../core/table-pattern.ts';
import { ExpressionProblem } from '../expression/expression.ts';
import { configuredExpression, problemText, sameExpression } from './configured-expression.ts';
import { askedPart } from './configured-share.ts';
import { GlobRules } from './glob-rules.ts';

export interface TableRule {
  readonly name: string;
  readonly to: string | null;
  readonly where: Expression | null;
  readonly key: readonly string[] | null;
  readonly includedColumns: readonly string[] | null;
  readonly excludedColumns: readonly string[];
  readonly renamedColumns: ReadonlyMap<string, string>;
  readonly transforms: readonly ConfiguredTransform[];
  readonly owns: OwnedShare | null;
  readonly loadPriority: number;
}

/** A table as it is. */
export const wholeTable: Omit<TableRule, 'name'> = {
  to: null,
  where: null,
  key: null,
  includedColumns: null,
  excludedColumns: [],
  renamedColumns: new Map(),
  transforms: [],
  owns: null,
  loadPriority: 0,
};

export function tableSelection(
  route: string,
  rules: readonly TableRule[],
  excluded: readonly string[],
): TableSelection {
  const patterns = rules.map((rule) => ({ pattern: parseTablePattern(rule.name), value: mapper(rule) }));
  const byTable = new GlobRules(patterns, { route, section: 'tables' });
  const exclude = excluded.map(parseTablePattern);
  /** Source by target: what two sources would share is only known once globs have met the tables. */
  const sources = new Map<string, string>();

  const map = (schema: string, name: string): MappedTable | null => {
    const exact = byTable.exact(schema, name);
    if (exact !== undefined) return exact(schema, name);
    if (exclude.some((pattern) => pattern.matches(schema, name))) return null;
    return byTable.glob(schema, name)?.(schema, name) ?? null;
  };
  const exact = patterns.flatMap(({ pattern }) => (pattern.exact === null ? [] : [pattern.exact]));

  const select = (schema: string, name: string): MappedTable | null => {
    const mapped = map(schema, name);
    if (mapped === null) return null;
    const source = tableLabel({ schema, name });
    const target = tableLabel(mapped.target);
    const other = sources.get(target) ?? source;
    if (other !== source) throw fail(configErrors.sharedTarget, { route, target, sources: [other, source] });
    sources.set(target, source);
    return mapped;
  };
  // Names first, so that a clash blames the table that a glob brought in.
  for (const { schema, name } of exact) select(schema, name);
  const globs = patterns.flatMap(({ pattern }) => (pattern.exact === null ? [pattern] : []));
  const prepare = async (): Promise<void> => {
    for (const { transforms } of rules) for (const transform of transforms) await transform.prepare?.();
  };
  const own = rules.flatMap((rule, at) => (rule.to === null ? (patterns[at]?.pattern ?? []) : []));
  const meansSchema = (schema: string): boolean => own.some((pattern) => pattern.matchesSchema(schema));
  const expressions = {
    globs: globs.map(({ expression }) => expression),
    excluded: exclude.map(({ expression }) => expression),
  };
  return { select, exact, globs, patterns: expressions, meansSchema, prepare, sameExpression, condition, part };
}

function condition(text: string): Promise<Expression> {
  return parsed(() => configuredExpression(text));
}

function part(text: string): Promise<OwnedShare> {
  return parsed(() => askedPart(text));
}

async function parsed<T>(parse: () => T): Promise<T> {
  await import('../expression/load-parser.ts');
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    throw fail(configErrors.arguments, { why: `the condition: ${problemText(error)}` });
  }
}

function mapper(rule: TableRule): (schema: string, name: string) => MappedTable {
  const { name: _, to, ...mapping } = rule;
  const target = to === null ? (source: { schema: string; name: string }) => source : parseTargetTemplate(to);
  return (schema, name) => ({ target: target({ schema, name }), ...mapping });
}

interface CollisionRule {
  readonly resolve: CollisionResolution;
  readonly oldValues: 'ignore' | 'check';
}

export function collisionRules(
  route: string,
  standard: CollisionRule,
  tables: Readonly<Record<string, CollisionRule>>,
): CollisionRules {
  const rules = Object.entries(tables).map(([text, value]) => ({ pattern: parseTablePattern(text), value }));
  const byTable = new GlobRules(rules, { route, section: 'collisions.tables' });
  const ruleOf = (schema: string, name: string): CollisionRule =>
    byTable.exact(schema, name) ?? byTable.glob(schema, name) ?? standard;
  return {
    forTable: (schema, name) => ruleOf(schema, name).resolve,
    checksOldValues: (schema, name) => ruleOf(schema, name).oldValues === 'check',
  };
}
