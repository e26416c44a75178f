import { routeErrors } from '../../core/errors/catalogue/route.ts';
import type { Finding } from '../../core/finding.ts';
import type { RouteDefinition } from '../../core/route.ts';
import { tableLabel } from '../../core/table.ts';
import type { TableBinding } from './table-binding.ts';

/** What a person should know before a column comes or goes of a route that is to go on then. */
export function undeclaredFindings(
  { source, readsAll }: TableBinding,
  { name: route, from, schemaChanges }: Pick<RouteDefinition, 'name' | 'from' | 'schemaChanges'>,
): Finding[] {
  if (schemaChanges === 'halt') return [];
  const table = tableLabel(source);
  return readsAll.map((transform) => ({
    level: 'warning',
    code: routeErrors.schemaUnproven.code,
    node: from.name,
    table,
    message: `route ${route}: ${transform} of ${table} does not say which columns it reads: with schemaChanges: ${schemaChanges} each one that is added, or dropped, halts the route`,
    remedy: 'Let its bind() give `reads`, the columns that it needs (docs/transforms.md).',
  }));
}
