import { scryptSync } from 'node:crypto';
import type { DescribedTable, RouteDescription } from '../core/route-description.ts';
import type { ConfiguredTransform } from '../core/table-mapping.ts';
import type { RouteData, TableData } from './schema/route-schema.ts';
import type { TableRule } from './table-selection.ts';

export interface DescribedRoute {
  readonly deployment: string;
  readonly data: RouteData;
  /** In the order of `data.tables`. */
  readonly rules: readonly TableRule[];
}

/** Resolves the secrets of transforms, for their prints. Throws a TidelockError (TL-1005) where one cannot be resolved. */
export function describeRoute({ deployment, data, rules }: DescribedRoute): RouteDescription {
  // How long a journal is kept, how a load is cut, when is compared, and on how many sessions, is nothing that a route does.
  const { from, to, slot = null, publication = null, tables, exclude, journal: _, compare: __, load, ...rest } = data;
  const { lanes: ___, ...apply } = rest.apply;
  const settings = { ...rest, apply, load: { mode: load.mode, existing: load.existing } };
  const described = tables.map((table, index) => describeTable(table, rules[index]?.transforms ?? [], deployment));
  return {
    version: 1,
    from,
    to,
    slot,
    publication,
    tables: described.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    exclude: exclude.toSorted(),
    settings,
  };
}

function describeTable(
  table: TableData,
  transforms: readonly ConfiguredTransform[],
  deployment: string,
): DescribedTable {
  if (typeof table === 'string') return { name: table };
  const { name, to, where, key, columns, owns, transforms: configured = [] } = table;
  const { include, exclude = [], rename = {} } = columns ?? {};
  const told = configured.map((entry, index) => describeTransform(entry, transforms[index], deployment));
  return {
    name,
    ...(to !== undefined && { to }),
    ...(where !== undefined && { where }),
    ...(key !== undefined && { key: key.toSorted() }),
    ...(include !== undefined && { include: include.toSorted() }),
    ...(exclude.length > 0 && { exclude: exclude.toSorted() }),
    ...(Object.keys(rename).length > 0 && { rename }),
    ...(told.length > 0 && { transforms: told }),
    ...(owns !== undefined && { owns }),
  };
}

function describeTransform(
  entry: NonNullable<Exclude<TableData, string>['transforms']>[number],
  transform: ConfiguredTransform | undefined,
  deployment: string,
): unknown {
  const { digest, secret } = transform ?? {};
  const shown =
    entry.mask === undefined || secret === undefined
      ? entry
      : { mask: { ...entry.mask, key: printOf(secret(), deployment) } };
  return { ...shown, ...(digest !== undefined && { digest }) };
}

/**
 * Another key makes other values, so that a change of it has to show. What is stored is slow to guess by (scrypt with the
 * cost that its standard gives for interactive logins), and is no help for the values themselves.
 */
function printOf(secret: string, deployment: string): string {
  return `print:${scryptSync(secret, `tidelock ${deployment}`, 16).toString('hex')}`;
}
