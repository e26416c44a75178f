import type { NodeType } from '../core/route.ts';
import type { RouteData } from './schema/route-schema.ts';
import { later } from './schema/scalars.ts';

interface VendorProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const families: Partial<Record<NodeType, string>> = { postgres: 'PostgreSQL', mysql: 'MySQL', mariadb: 'MySQL' };

/** Values of the one have other forms at the other. */
export function areOfTwoVendors(from: NodeType, to: NodeType): boolean {
  return families[from] !== families[to];
}

/** What a route between these two kinds of servers can't have. */
export function checkVendors(from: NodeType, to: NodeType, data: RouteData): readonly VendorProblem[] {
  const problems: VendorProblem[] = [];
  const isBetween = areOfTwoVendors(from, to);
  if (!isBetween && Object.keys(data.convert).length > 0)
    problems.push({ path: ['convert'], message: 'is for routes between vendors: here every value travels as it is' });
  if (families[to] === 'MySQL' && data.apply.lanes > 1)
    problems.push({ path: ['apply', 'lanes'], message: `${later}several lanes at a target of type ${to}` });
  if (!isBetween && families[from] !== 'MySQL') return problems;
  const source = isBetween ? `between ${from} and ${to}` : `of a source of type ${from}`;
  for (const key of ['slot', 'publication'] as const)
    if (families[from] === 'MySQL' && data[key] !== undefined)
      problems.push({ path: [key], message: `is PostgreSQL's: a binlog is read without anything being made for it` });
  if (data.load.existing === 'merge')
    problems.push({ path: ['load', 'existing'], message: `${later}merge at a target of type ${to}` });
  if (data.ddl === 'replicate') problems.push({ path: ['ddl'], message: `${later}replicate ${source}` });
  const rules = Object.entries(data.collisions.tables).map(([table, rule]) => ({ at: ['tables', table], rule }));
  for (const { at, rule } of [{ at: ['default'], rule: data.collisions.default }, ...rules])
    if (rule.oldValues === 'check')
      problems.push({ path: ['collisions', ...at, 'oldValues'], message: `${later}check ${source}` });
  if (data.schemaChanges !== 'halt' && isBetween)
    problems.push({ path: ['schemaChanges'], message: `${later}${data.schemaChanges} ${source}` });
  return problems;
}
