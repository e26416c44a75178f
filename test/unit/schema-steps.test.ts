import { expect, test } from 'vitest';
import type { SchemaStep } from '../../src/core/schema-step.ts';
import type { Column, TableVersion } from '../../src/core/table.ts';
import { replacedUnderReaders } from '../../src/pipeline/replaced-readers.ts';
import { type Identified, schemaSteps } from '../../src/pipeline/schema-steps.ts';
import { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { ConfigurationFiles, withRoute } from '../support/configuration-files.ts';

/** As `a2`: an int of that name and id; `a2:bigint`. */
function columnsOf(words: string): { columns: Column[]; ids: number[] } {
  const parts = words.split(' ').map((word) => /^([a-z_]+)([0-9]+)(?::(.+))?$/.exec(word) ?? []);
  const columns = parts.map(([, name = '', , type = 'int']) => ({ name, type, modifier: -1, key: name === 'id' }));
  return { columns, ids: parts.map(([, , id]) => Number(id)) };
}

async function identified(words: string, entry: string): Promise<Identified> {
  using folder = new ConfigurationFiles();
  const { tables } = folder.load(withRoute(`tables: [{ name: public.t, ${entry} }]`)).routes.demand('r', 'route');
  await tables.prepare();
  const { columns, ids } = columnsOf(words);
  const version: TableVersion = { schema: 'public', name: 't', identity: 'full', columns };
  return { binding: new TableMapper('r', tables).bind(version), ids };
}

function said(step: SchemaStep): string {
  if (step.kind === 'drop') return `-${step.column}`;
  if (step.kind === 'rename') return `${step.from}>${step.to}`;
  return `${step.kind === 'add' ? '+' : '~'}${step.column.name}`;
}

async function stepsOf(from: string, to: string, entry = 'columns: {}'): Promise<SchemaStep[] | null> {
  const sides = [await identified(from, entry), await identified(to, entry)] as const;
  return schemaSteps(...sides, new Map());
}

async function steps(from: string, to: string, entry?: string): Promise<string | null> {
  return (await stepsOf(from, to, entry))?.map(said).join(' ') ?? null;
}

test.each([
  ['id1 a2 b3', 'id1 a2 b3', ''],
  ['id1 a2 b3', 'id1 b3 a2', ''],
  ['id1 a2 b3', 'id1 a2', '-b'],
  ['id1 a2 b3', 'id1 a2 b3 c4', '+c'],
  ['id1 a2 b3', 'id1 a2:bigint b3', '~a'],
  ['id1 a2 b3', 'id1 a2 b4', '-b +b'],
  ['id1 a2 b3', 'id1 b2 a3', 'a>tidelock_0_a b>a tidelock_0_a>b'],
  // Each where the other was: the table looks as it did.
  ['id1 a2 b3', 'id1 a3 b2', 'a>tidelock_0_a b>a tidelock_0_a>b'],
  ['id1 a2 b3 c4', 'id1 a4 b2 c3', 'a>tidelock_0_a c>a b>c tidelock_0_a>b'],
])('what was %s is made %s by: %s', async (from, to, expected) => {
  expect(await steps(from, to)).toBe(expected);
});

test.each([
  ['id1 a2 b3', 'id1 b2 a3', null],
  ['id1 a2 b3', 'id1 a3', '-b'],
])('where a does not travel, what was %s is made %s by: %s', async (from, to, expected) => {
  const entry = `where: 'id > 0', columns: { exclude: [a] }`;
  expect(await steps(from, to, entry)).toBe(expected);
});

test.each([
  ['id1 a2 b3', 'id1 b3 a4', `where: 'a > 5'`, 'a'],
  ['id1 a2 b3', 'id1 a3 b2', `where: 'a > 5'`, 'a'],
  ['id1 a2 b3', 'id1 b3 a4', `where: 'a > 5', columns: { exclude: [a] }`, 'a'],
  ['id1 a2 b3', 'id1 b3 a4', `transforms: [{ set: { b: 'a + 1' } }]`, 'a'],
  ['id1 a2 b3', 'id1 b4 a2', `where: 'a > 5'`, null],
  ['id1 a2 b3', 'id1 a2 b3 c4', `where: 'a > 5'`, null],
  ['id1 a2 b3', 'id1 b3 a4', `transforms: [{ split: { rows: [{ set: { c: a }, columns: [id, c] }] } }]`, 'a'],
  ['id1 a2 b3', 'id1 b3 a4', `transforms: [{ unpivot: { columns: [a, b], name: k, value: v } }]`, 'a'],
  // What is made of itself travels as what it is.
  ['id1 a2 b3', 'id1 b3 a4', `transforms: [{ set: { a: 'a + 1' } }]`, null],
])('what was %s and is %s, with %s, is another for those who read it: %s', async (from, to, entry, expected) => {
  expect(replacedUnderReaders(await identified(from, entry), await identified(to, entry))).toBe(expected);
});

const text = 'pg_catalog.text';
const masked = 'transforms: [{ mask: { columns: [ssn], method: redact } }]';
const sited = `transforms: [{ set: { site: "'north'" } }]`;

test.each([
  // A column keeps its id, and the mask goes with the name.
  [`id1 ssn2:${text}`, `id1 ssn_old2:${text} ssn3:${text}`, masked],
  [`id1 ssn2:${text} note3:${text}`, `id1 ssn3:${text}`, masked],
  [`id1 ssn2:${text} note3:${text}`, `id1 note2:${text} ssn3:${text}`, masked],
  [`id1 a2`, `id1 b2 a3`, 'transforms: [{ cast: { a: text } }]'],
  [`id1 a2:${text}`, `id1 b2:${text} a3:${text}`, 'transforms: [{ cleanse: { columns: [a], trim: both } }]'],
  [`id1 a2:${text}`, `id1 b2:${text} a3:${text}`, `transforms: [{ default: { a: "'none'" } }]`],
  [`id1 a2:${text}`, `id1 b2:${text} a3:${text}`, 'transforms: [{ mapValues: { columns: [a], values: { x: y } } }]'],
  [`id1 a2:${text}`, `id1 b2:${text} a3:${text}`, `transforms: [{ set: { a: "upper(a)" } }]`],
  // What the transform adds, and the source has or gets.
  ['id1 a2', `id1 a2 site3:${text}`, sited],
  ['id1 a2', `id1 a2 b3 site4:${text}`, sited],
  [`id1 a2 site3:${text}`, 'id1 a2', sited],
  [`id1 a2:${text}`, `id1 site2:${text}`, sited],
  [`id1 site2:${text}`, `id1 a2:${text}`, sited],
])('what was %s can not be made %s where values would be those of another transform: %s', async (from, to, entry) => {
  expect(await steps(from, to, entry)).toBeNull();
});

// Where rows are taken apart the target's table looks as it did.
test.each([
  ['id1 a2 b3', 'id1 a3', `transforms: [{ split: { rows: [{ set: { c: a }, columns: [id, c] }] } }]`],
  [
    'id1 a2 b3 c4',
    'id1 c2 b3 a4',
    `transforms: [{ unpivot: { columns: [a, b], name: k, value: v } }], columns: { exclude: [c] }`,
  ],
])('what rows are made of: what was %s can not be made %s under %s', async (from, to, entry) => {
  expect(await steps(from, to, entry)).toBeNull();
});

test('a transform that names a column which has another name by now is refused', async () => {
  await expect(identified(`id1 ssn_old2:${text}`, masked)).rejects.toMatchObject({ code: 'TL-4101' });
});

test.each([
  [`id1 ssn2:${text} a3`, `id1 ssn2:${text} b3`, masked, 'a>b'],
  [`id1 ssn2:${text}`, `id1 ssn3:${text}`, masked, '-ssn +ssn'],
  ['id1 a2', 'id1 b2 c3', sited, 'a>b +c'],
])(
  'transforms of other columns leave what was %s to be made %s, with %s, by: %s',
  async (from, to, entry, expected) => {
    expect(await steps(from, to, entry)).toBe(expected);
  },
);

test.each([
  [`default: { c: "'none'" }`, 'none'],
  [`set: { c: "coalesce(c, 'x')" }`, 'x'],
  ['mapValues: { columns: [c], values: { a: b }, nullTo: gone }', 'gone'],
  ['cleanse: { columns: [c], trim: both }', null],
])('a column that is new has in the rows that are there what is made of NULL: %s', async (transform, existing) => {
  const made = await stepsOf(`id1 c2:${text}`, `id1 c3:${text}`, `transforms: [{ ${transform} }]`);
  expect(made?.at(-1)).toMatchObject({ kind: 'add', existing });
});

test.each(['default: { c: "b" }', `set: { c: "(1 / (coalesce(length(c), 0) - 0))::text" }`])(
  'where that needs more of a row, or fails, nobody can tell: %s',
  async (transform) => {
    const entry = `transforms: [{ ${transform} }]`;
    expect(await stepsOf(`id1 b2:${text} c3:${text}`, `id1 b2:${text} c4:${text}`, entry)).toBeNull();
  },
);
