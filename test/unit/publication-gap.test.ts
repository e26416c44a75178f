import { expect, test } from 'vitest';
import { type Publication, publicationGap } from '../../connectors/postgres/source/publication.ts';

const tables = ['r', 'p'].map((kind) => ({ kind, table: { schema: 'public', name: `t_${kind}` } }));
const whole: Publication = {
  ...{ owned: true, allTables: false, viaRoot: true, missingOperations: [] },
  tables: new Map(tables.map(({ table }) => [`${table.schema}.${table.name}`, { ...table, filtered: false }])),
};

test.for<readonly [what: string, publication: Partial<Publication>, lacking: readonly string[]]>([
  ['an operation', { missingOperations: ['update'] }, ['public.t_r', 'public.t_p']],
  ['the root of partitions', { viaRoot: false }, ['public.t_p']],
  ['a table', { tables: new Map([...whole.tables].slice(1)) }, ['public.t_r']],
  ['both', { viaRoot: false, tables: new Map() }, ['public.t_r', 'public.t_p']],
])('a publication without %s lacks changes of the tables that it concerns', ([_, publication, lacking]) => {
  expect(publicationGap('mine', { ...whole, ...publication }, tables)?.tables).toEqual(lacking);
});

test('a publication that has all of everything lacks nothing', () => {
  expect(publicationGap('mine', whole, tables)).toBeNull();
});
