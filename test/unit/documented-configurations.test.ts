import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { describedSchema, type JsonSchema } from '../../src/config/json-schema.ts';
import { ConfigurationFiles } from '../support/configuration-files.ts';

const files = new ConfigurationFiles();
afterAll(() => files[Symbol.dispose]());

type Mapping = Readonly<Record<string, unknown>>;

const nodes = {
  sales: { type: 'postgres', url: 'postgres://u:p@localhost/sales' },
  reporting: { type: 'postgres', url: 'postgres://u:p@localhost/reporting' },
  shop: { type: 'mysql', url: 'mysql://u:p@localhost' },
};
const route = { from: 'sales', to: 'reporting', tables: ['public.t'] };
const whole = { version: 1, name: 'prod', nodes, routes: { r: route } };

files.write('secret', 'from a file');
files.write('routes/more.yaml', '{}');
files.write('countries.csv', 'code,name\nch,Switzerland\n');
files.write('exits/customers.ts', 'export default { bind: () => ({ row: (row) => row }) };');

/** As a user reads it: every reference has a value, and every route and the service are asked for. */
function load(document: Mapping): void {
  const text = stringify(document).replaceAll('/run/secrets/', `${files.directory}/`);
  const env: Record<string, string> = {};
  for (const [, name = ''] of text.matchAll(/\$\{([A-Z_]+)[:}]/g))
    env[name] = name.endsWith('URL') ? 'postgres://u:p@localhost/d' : 'a-value-that-is-long-enough';
  for (const [, name = ''] of text.matchAll(/\$\{file:([^}]+)\}/g))
    files.write(name.slice(files.directory.length + 1), 'x');
  const configuration = files.load(text, env);
  for (const name of configuration.routes.keys()) configuration.routes.demand(name, 'route');
}

/** A block of a page is a whole file, some of its keys, or keys of a route. */
function completed(block: Mapping): Mapping {
  if ('version' in block) return block;
  if (!['nodes', 'routes', 'service', 'notify'].some((key) => key in block))
    return { ...whole, routes: { r: { ...route, ...block } } };
  const routes = (block.routes ?? {}) as Record<string, { from?: string; to?: string }>;
  const named = Object.values(routes).flatMap(({ from = '', to = '' }) => [from, to]);
  const missing = Object.fromEntries(named.map((name) => [name, nodes.sales]));
  return { ...whole, ...block, nodes: { ...nodes, ...missing, ...(block.nodes as Mapping | undefined) } };
}

const root = join(import.meta.dirname, '../..');
const blocks = globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md'], { cwd: root })
  .filter((page) => page !== 'docs/transforms.md') // integration/route/transforms carries those out.
  .flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)].map(
      ([, text = ''], at) => [`${page} (${at + 1})`, text] as const,
    ),
  )
  .sort();

test('there are examples', () => expect(blocks.length).toBeGreaterThan(8));

test.each(blocks)('the example of %s is a configuration', (_, text) => {
  load(completed(parse(text) as Mapping));
});

/** What a value of this may be: its example, or what it can't do without. */
function instance(schema: JsonSchema): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  if (schema.properties !== undefined)
    return Object.fromEntries((schema.required ?? []).map((key) => [key, instance(schema.properties?.[key] ?? {})]));
  if (schema.items !== undefined) return [instance(schema.items)];
  if (schema.anyOf?.[0] !== undefined) return instance(schema.anyOf[0]);
  const { enum: choices } = schema as { enum?: unknown[] };
  return choices?.[0] ?? schema.default ?? 'text';
}

/** Each example, in a document that has nothing else that is not wanted, by the key that it is shown at. */
function* examples(
  schema: JsonSchema,
  path: string,
  within: (value: unknown) => unknown,
): Generator<[string, Mapping]> {
  const inner = schema.properties === undefined ? (schema.anyOf ?? []) : [];
  for (const form of inner) yield* examples(form, path, within);
  if (schema.items !== undefined) yield* examples(schema.items, `${path}[]`, (value) => within([value]));
  if (typeof schema.additionalProperties === 'object')
    yield* examples(schema.additionalProperties, `${path}.NAME`, (value) =>
      within({ ...(path === 'nodes' && nodes), [path.endsWith('.tables') ? 'public.t' : 'one']: value }),
    );
  const least = schema.properties === undefined ? {} : (instance({ ...schema, examples: [] }) as Mapping);
  const base = path === '' ? whole : least;
  for (const [key, value] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? key : `${path}.${key}`;
    const place = (one: unknown): unknown => within({ ...base, ...beside[at], [key]: one });
    if (value.examples?.[0] !== undefined) yield [at, place(value.examples[0]) as Mapping];
    // `defaults` has the keys of a route.
    if (key !== 'defaults') yield* examples(value, at, place);
  }
}

/** What stands beside a key that makes no sense alone. */
const address = { hosts: ['db1.internal'], database: 'd', user: 'u' };
const beside: Readonly<Record<string, Mapping>> = {
  'nodes.NAME.type': address,
  'nodes.NAME.hosts': address,
  'nodes.NAME.database': address,
  'nodes.NAME.user': address,
  'nodes.NAME.password': address,
  'nodes.NAME.tls': address,
  'routes.NAME.convert': { to: 'shop' },
  'routes.NAME.tables[].transforms[].mask.columns': { method: 'null' },
  'routes.NAME.tables[].transforms[].mask.method': { key: '${MASK_KEY}' },
  'routes.NAME.tables[].transforms[].mask.with': { method: 'redact' },
};

const shown = [...examples(describedSchema(), '', (value) => value)];

test('keys have examples', () => expect(shown.length).toBeGreaterThan(60));

test.each(shown)('the example of %s is valid where it stands', (_, document) => {
  load(completed(document));
});
