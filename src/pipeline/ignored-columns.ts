import type { SchemaChange } from '../core/change.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../core/route.ts';
import { type TableName, tableLabel } from '../core/table.ts';
import type { TableDefinition } from '../core/table-facts.ts';
import type { Target } from '../core/target.ts';
import { type Judgement, versionOf } from './judge-definition.ts';
import { keepsValues } from './retyped-values.ts';
import type { TableMapper } from './table-mapper.ts';

export interface IgnoredColumnsOptions {
  readonly route: Pick<RouteDefinition, 'name' | 'tables' | 'schemaChanges'>;
  readonly mapper: TableMapper;
  readonly target: Pick<Target, 'columns'>;
}

/** Which columns do not travel, by the configuration or since `schemaChanges: ignore` leaves them out or at the target. */
export class IgnoredColumns {
  readonly #options: IgnoredColumnsOptions;

  constructor(options: IgnoredColumnsOptions) {
    this.#options = options;
  }

  excluded({ schema, name, ignored }: TableDefinition): ReadonlySet<string> {
    const table = this.#options.route.tables.select(schema, name);
    // What transforms read of a column that does not travel may still be seen at the target.
    if (table === null || table.transforms.length > 0 || table.where !== null) return new Set(ignored);
    return new Set([...table.excludedColumns, ...ignored]);
  }

  /** Under `ignore` what a command has dropped stays at the target, also where a person has accepted that command for what else it does. */
  withLeft(definition: TableDefinition, before: TableDefinition | null): TableDefinition {
    if (before === null || this.#options.route.schemaChanges !== 'ignore') return definition;
    const left = [...(before.left ?? []), ...(definition.left ?? []), ...this.#dropped(before, definition)];
    return left.length === 0 ? definition : { ...definition, left: [...new Set(left)] };
  }

  /**
   * Added columns that the target has not are left out. Whether the target can do without the others, its plan tells. Throws (halt) where a column
   * is renamed, or where the target has an added one whose values there are not known.
   */
  async leaveOut(change: SchemaChange, before: TableDefinition, judgement: Judgement): Promise<TableDefinition> {
    const { route, target, mapper } = this.#options;
    const definition = judgement.definition ?? before;
    const old = new Map(before.columns.map((column) => [column.id, column]));
    const place = { route: route.name, table: tableLabel(change.to), position: change.at };
    const configured = this.excluded(before);
    for (const { id, name } of definition.columns) {
      const was = old.get(id);
      if (was !== undefined && was.name !== name && !configured.has(was.name))
        throw fail(routeErrors.renameIgnored, { ...place, column: was.name, name });
    }
    const cast = definition.columns.find((is) => {
      const was = old.get(is.id);
      return was !== undefined && !configured.has(was.name) && !keepsValues(was, is);
    });
    if (cast !== undefined)
      throw fail(routeErrors.schemaUnproven, {
        ...place,
        why: `column ${cast.name} is of another type than before, which may have made other values of those that are there, and the target's column stays what it is (ignore)`,
      });
    const nameThere = (name: string): string => this.#nameThere(change.to, name);
    const left = [...(before.left ?? []), ...this.#dropped(before, definition)];
    const after = left.length === 0 ? definition : { ...definition, left: [...new Set(left)] };
    const added = definition.columns.filter(({ id, name }) => !old.has(id) && !configured.has(name));
    if (added.length === 0) return after;
    const [mapped] = mapper.bind(versionOf(before)).tables;
    const there = new Set((await target.columns(mapped)).map(({ name }) => name));
    const carried = added.filter(({ name }) => there.has(nameThere(name)));
    const again = carried.find(({ name }) => left.includes(nameThere(name)));
    if (again !== undefined)
      throw fail(routeErrors.schemaUnproven, {
        ...place,
        why: `column ${again.name} was added where one of its name was dropped and left at the target, whose rows still have the values of that one`,
      });
    const filled = carried.find(({ id }) => (judgement.existing.get(id) ?? null) !== null);
    if (filled !== undefined)
      throw fail(routeErrors.schemaUnproven, {
        ...place,
        why: `column ${filled.name} was added with a value for the rows that were there, and whether the target's rows have it is not known`,
      });
    const ignored = added.filter((column) => !carried.includes(column)).map(({ name }) => name);
    return { ...after, ignored: [...definition.ignored, ...ignored] };
  }

  /** As the target names them. */
  #dropped(before: TableDefinition, { columns }: TableDefinition): string[] {
    const configured = this.excluded(before);
    const kept = new Set(columns.map(({ id }) => id));
    const dropped = before.columns.filter(({ id, name }) => !kept.has(id) && !configured.has(name));
    return dropped.map(({ name }) => this.#nameThere(before, name));
  }

  #nameThere({ schema, name: table }: TableName, column: string): string {
    return this.#options.route.tables.select(schema, table)?.renamedColumns.get(column) ?? column;
  }
}
