import type { TableName } from './table.ts';
import type { MappedTable } from './table-mapping.ts';

/** Under its own name, with all its rows and columns as they are: what is said of the source's table can be said of the target's. */
export function isMappedAsIs({ schema, name }: TableName, mapped: MappedTable): boolean {
  const { target, where, includedColumns, excludedColumns, renamedColumns, key, transforms } = mapped;
  return (
    target.schema === schema &&
    target.name === name &&
    where === null &&
    includedColumns === null &&
    excludedColumns.length === 0 &&
    renamedColumns.size === 0 &&
    key === null &&
    transforms.length === 0
  );
}
