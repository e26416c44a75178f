import type pg from 'pg';
import type { Finding } from '../../../src/core/finding.ts';
import type { NodeUse } from '../../../src/core/node-inspector.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { carried, readCatalogue } from '../source/catalogue.ts';
import { isSelected } from '../source/table-filter.ts';

type Found = Omit<Finding, 'node'>;

const named = 10;

/** What stands beside the tables that the routes carry, by name: whoever moves a database has to bring it by other means. */
export async function leftOut(client: pg.Client, { sources }: NodeUse): Promise<Found[]> {
  if (sources.length === 0) return [];
  const catalogue = await readCatalogue(client);
  const selected = new Set<string>();
  for (const { oid, table } of catalogue)
    if (sources.some((route) => isSelected(route, table.schema, table.name))) selected.add(oid);
  const isOutside = ({ oid, ancestors }: (typeof catalogue)[number]): boolean =>
    !selected.has(oid) && !ancestors.some((ancestor) => selected.has(ancestor));
  const outside = catalogue.filter(isOutside);
  const tables = outside.filter((entry) => carried(entry) && entry.ancestors.length === 0);
  const others = outside.filter((entry) => !carried(entry) && entry.kind !== 'v' && entry.persistence !== 't');
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND n.nspname <> 'tidelock' AND n.nspname !~ '^pg_temp'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass
         AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0) ORDER BY 1, 2`,
  );
  const isNamed = ({ schema, name }: TableName): boolean =>
    sources.some(({ sequences }) => sequences.include.some((pattern) => pattern.matches(schema, name)));
  return [
    ...told(
      'node.tablesLeftOut',
      'in no route',
      tables.map(({ table }) => table),
    ),
    ...told(
      'node.notCarried',
      'unlogged, foreign or materialised, so that no route can carry it',
      others.map(({ table }) => table),
    ),
    ...told(
      'node.sequencesLeftOut',
      'sequence of no column, so that its value is not carried',
      rows.filter((row) => !isNamed(row)),
    ),
  ];
}

function told(code: string, what: string, names: readonly TableName[]): Found[] {
  if (names.length === 0) return [];
  const more = names.length > named ? `, and ${names.length - named} more` : '';
  const message = `${what}: ${names.slice(0, named).map(tableLabel).join(', ')}${more}`;
  return [{ level: 'info', code, message, remedy: '' }];
}
