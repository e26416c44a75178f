import type pg from 'pg';
import type { NodeSurvey, SurveyedTable } from '../../../src/core/node-inspector.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import { serverVersion } from '../server-version.ts';
import { type CatalogueTable, carried, readCatalogue } from '../source/catalogue.ts';
import { readIdentityIndexes } from './identity-indexes.ts';

const kinds: Readonly<Record<string, string>> = { f: 'foreign table', v: 'view', m: 'materialised view' };

export async function surveyNode(client: pg.Client): Promise<NodeSurvey> {
  const { text } = await serverVersion(client);
  const { rows } = await client.query<{ user: string; database: string; encrypted: boolean; superuser: boolean }>(
    `select current_user::text as user, current_database()::text as database,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as encrypted,
       (select rolsuper from pg_roles where rolname = current_user) as superuser`,
  );
  const catalogue = await readCatalogue(client);
  const wholes = catalogue.filter((entry) => carried(entry) && entry.ancestors.length === 0);
  const [sizes, indexes] = [await readSizes(client, wholes), await readIdentityIndexes(client)];
  const { user = '', database = '', encrypted = false, superuser = false } = rows[0] ?? {};
  return {
    server: `PostgreSQL ${text}`,
    user,
    database,
    encrypted,
    superuser,
    tables: wholes.map((entry): SurveyedTable => {
      const identity = identityOf(entry);
      return {
        schema: entry.table.schema,
        name: entry.table.name,
        bytes: sizes.get(entry.oid)?.bytes ?? 0,
        rows: sizes.get(entry.oid)?.rows ?? 0,
        identity,
        proposedKey: identity === 'nothing' ? (indexes.get(entry.oid) ?? null) : null,
      };
    }),
    notCarried: catalogue
      .filter((entry) => !carried(entry) && entry.persistence !== 't')
      .map(({ table: { schema, name }, kind }) => ({ schema, name, kind: kinds[kind] ?? 'unlogged table' })),
  };
}

function identityOf({ table, generatedKey }: CatalogueTable): SurveyedTable['identity'] {
  if (table.identity === 'full') return 'full';
  return hasKey(table) && !generatedKey ? 'key' : 'nothing';
}

const hasKey = ({ columns }: TableVersion): boolean => columns.some(({ key }) => key);

/** A partitioned table holds nothing by itself; what its partitions hold is its. */
async function readSizes(client: pg.Client, tables: readonly CatalogueTable[]) {
  const { rows } = await client.query<{ oid: string; bytes: string; rows: string }>(
    `select o::text as oid, sum(pg_total_relation_size(t.relid)) as bytes, sum(greatest(c.reltuples, 0))::int8 as rows
     from unnest($1::oid[]) o cross join lateral (
       select relid from pg_partition_tree(o) where isleaf union select o
     ) t join pg_class c on c.oid = t.relid group by o`,
    [tables.map(({ oid }) => oid)],
  );
  return new Map(rows.map(({ oid, bytes, rows: count }) => [oid, { bytes: Number(bytes), rows: Number(count) }]));
}
