import type pg from 'pg';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type Column, type TableVersion, type TypeDefinition, tableLabel } from '../../../src/core/table.ts';
import { leafTypes, readColumnTypes } from '../type-definitions.ts';
import { misfit } from './definition-fit.ts';
import type { TargetTable } from './target-table.ts';
import { unreadableTypes } from './unreadable-types.ts';

/** What the plan of a table does not see: types of one name that are made of other parts, and types that can't be read. */
export async function checkTypes(
  client: pg.Client,
  route: RouteDefinition,
  versions: readonly TableVersion[],
  tables: readonly TargetTable[],
): Promise<Map<TableVersion, TidelockError[]>> {
  const types = await readColumnTypes(
    client,
    tables.map(({ oid }) => String(oid)),
  );
  const oids = new Map(tables.map((table) => [tableLabel(table), String(table.oid)]));
  const bound = versions.flatMap((version) => {
    const columns = types.get(oids.get(tableLabel(version)) ?? '');
    return version.columns.flatMap((column) => {
      const definition = columns?.get(column.name);
      return definition === undefined ? [] : [{ version, column, definition }];
    });
  });
  const unreadable = await unreadableTypes(
    client,
    bound.flatMap(({ definition }) => leafTypes(definition)),
    route.to.name,
  );
  const errors = new Map<TableVersion, TidelockError[]>();
  for (const { version, column, definition } of bound) {
    const place = { route: route.name, table: tableLabel(version), column: column.name };
    const part = leafTypes(definition).find((name) => unreadable.has(name));
    const found = differs(column, definition);
    const error =
      part !== undefined
        ? fail(targetErrors.typeNotCarried, { ...place, type: column.type, part })
        : found && fail(targetErrors.typeDoesNotFit, { ...place, ...found });
    if (error) errors.set(version, [...(errors.get(version) ?? []), error]);
  }
  return errors;
}

function differs({ definition: source }: Column, target: TypeDefinition) {
  // Where the kinds differ the plan has told it already.
  return source === undefined || source.kind !== target.kind ? null : misfit(source, target);
}
