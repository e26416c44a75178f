import type pg from 'pg';
import type { Finding } from '../../../src/core/finding.ts';
import type { NodeUse } from '../../../src/core/node-inspector.ts';
import { tableLabel } from '../../../src/core/table.ts';
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
  return [
    ...told(
      'node.tablesLeftOut',
      'are in no route',
      tables.map(({ table }) => tableLabel(table)),
      'tables',
    ),
    ...told(
      'node.notCarried',
      'are not in the change queue and can be in no route (unlogged and foreign tables, materialised views)',
      others.map(({ table }) => tableLabel(table)),
      'tables',
    ),
    ...told('node.sequencesLeftOut', 'belong to no column and are not carried', rows.map(tableLabel), 'sequences'),
  ];
}

function told(code: string, what: string, labels: readonly string[], kind: string): Found[] {
  if (labels.length === 0) return [];
  const more = labels.length > named ? `, and ${labels.length - named} more` : '';
  const noun = labels.length === 1 ? kind.replace(/s$/, '') : kind;
  return [
    {
      level: 'info',
      code,
      message: `${labels.length} ${noun} ${what}: ${labels.slice(0, named).join(', ')}${more}`,
      remedy: '',
    },
  ];
}
