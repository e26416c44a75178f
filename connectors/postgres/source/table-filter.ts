import type { RouteDefinition } from '../../../src/core/route.ts';

/** Tidelock's own tables are never part of a route. */
export function isSelected(route: RouteDefinition, schema: string, name: string): boolean {
  return schema !== 'tidelock' && route.tables.select(schema, name) !== null;
}
