import { expect, test } from 'vitest';
import type { SchemaStep } from '../../src/core/schema-step.ts';
import type { Column, TableVersion } from '../../src/core/table.ts';
import { replacedUnderReaders } from '../../src/pipeline/replaced-readers.ts';
import { type Identified, schemaSteps } from '../../src/pipeline/schema-steps.ts';
import { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { ConfigurationFiles, withRoute } from '../support/configuration-files.ts';

/** As `a2`: an int of that name and id; `a2:bigint`. */
function columnsOf(words: string): { columns: Column[]; ids: number[] } {
  const parts = words.split(' ').map((word) => /^([a-z]+)([0-9]+)(?::(.+))?$/.exec(word) ?? []);
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

async function steps(from: string, to: string, entry = 'columns: {}'): Promise<string | null> {
  const sides = [await identified(from, entry), await identified(to, entry)] as const;
  return (
    schemaSteps(...sides, new Map())
      ?.map(said)
      .join(' ') ?? null
  );
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
  // What is made of itself travels as what it is.
  ['id1 a2 b3', 'id1 b3 a4', `transforms: [{ set: { a: 'a + 1' } }]`, null],
])('what was %s and is %s, with %s, is another for those who read it: %s', async (from, to, entry, expected) => {
  expect(replacedUnderReaders(await identified(from, entry), await identified(to, entry))).toBe(expected);
});
