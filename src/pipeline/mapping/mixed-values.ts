import { transformErrors } from '../../core/errors/catalogue/transform.ts';
import type { Finding } from '../../core/finding.ts';
import { fixedSizeTypes } from '../../core/fixed-size-types.ts';
import { type TableVersion, tableLabel } from '../../core/table.ts';
import { isLogged } from './is-logged.ts';
import type { TableBinding } from './table-binding.ts';

/** A transform that makes a value of several, some of which are not in the log when they are large and did not change. */
export interface MixedValues {
  readonly transform: string;
  readonly columns: readonly string[];
}

/** Those of the source columns that may be missing in a new image, and that a rule reads together with others. */
export function mixedValues(source: TableVersion, transform: string, columns: readonly number[]): MixedValues | null {
  const unsure = columns.filter(
    (index) => !isLogged(source, index) && !fixedSizeTypes.has(source.columns[index]?.type ?? ''),
  );
  const [first] = unsure;
  if (first === undefined || columns.length < 2) return null;
  return { transform, columns: unsure.map((index) => source.columns[index]?.name ?? '') };
}

/** What a person should know of it before a large value comes. */
export function mixedFindings({ source, mixed }: TableBinding, route: string, node: string): Finding[] {
  const table = tableLabel(source);
  return mixed.map(({ transform, columns }) => ({
    level: 'warning',
    code: transformErrors.failed.code,
    node,
    table,
    message: `route ${route}: ${transform} of ${table} reads ${columns.join(', ')} together with others: an update that leaves a large value (about 2 kB) of it as it was halts the route`,
    remedy: 'Let the source log whole old rows (ALTER TABLE ... REPLICA IDENTITY FULL), unless they are never large.',
  }));
}
