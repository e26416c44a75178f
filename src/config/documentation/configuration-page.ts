import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { allowNames } from '../allow-names.ts';
import { describedSchema, type JsonSchema } from '../json-schema.ts';

interface Section {
  readonly title: string;
  readonly text: string;
  readonly rows: readonly string[];
}

/** docs/configuration.md: the written introduction, then every key from the descriptions that the checks are made of. */
export function configurationPage(): string {
  const introduction = readFileSync(new URL('./introduction.md', import.meta.url), 'utf8').trimEnd();
  const sections = [...sectionsOf('', describedSchema())];
  const keys = sections.map(
    ({ title, text, rows }) =>
      `### ${title}\n\n${text}| key | type | default | meaning | example |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}`,
  );
  return `${introduction}\n\n## Every key\n\n${keys.join('\n\n')}\n\n${allowSection()}\n`;
}

function* sectionsOf(path: string, schema: JsonSchema): Generator<Section> {
  const below: [string, JsonSchema][] = [];
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const inner = innerSection(path === '' ? key : `${path}.${key}`, value);
    // `defaults` has the keys of a route.
    if (inner !== null && key !== 'defaults') below.push(inner);
    return row(key, value, schema.required?.includes(key) ?? false);
  });
  const title = path === '' ? 'Top level' : `\`${path}\``;
  yield { title, text: schema.description ? `${schema.description}\n\n` : '', rows };
  for (const [innerPath, inner] of below) yield* sectionsOf(innerPath, inner);
}

/** The mapping with fixed keys at or within a value, with the path that it is documented under. */
function innerSection(path: string, schema: JsonSchema): [string, JsonSchema] | null {
  if (schema.properties !== undefined) return [path, schema];
  if (schema.items !== undefined) return innerSection(`${path}[]`, schema.items);
  if (typeof schema.additionalProperties === 'object') return innerSection(`${path}.NAME`, schema.additionalProperties);
  for (const form of schema.anyOf ?? []) {
    const inner = innerSection(path, form);
    if (inner !== null) return inner;
  }
  return null;
}

function row(key: string, schema: JsonSchema, required: boolean): string {
  const type = schema['x-type'] ?? (schema.properties ? 'mapping' : (schema.type ?? ''));
  const isLater = type === 'not in this version';
  const meaning = isLater ? `Not in this version: ${schema.description}.` : (schema.description ?? '');
  const cells = [
    `\`${key}\``,
    isLater ? '' : type,
    required ? 'required' : defaultText(schema),
    meaning,
    schema.examples?.[0] === undefined ? '' : code(schema.examples[0]),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function defaultText(schema: JsonSchema): string {
  if (schema.default === undefined) return '';
  const empty = typeof schema.default === 'object' && Object.keys(schema.default ?? {}).length === 0;
  return empty ? '' : code(schema.default);
}

function code(value: unknown): string {
  const text = typeof value === 'string' ? value : stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  return `\`${text.replaceAll(/\s*\n\s*/g, ' ')}\``;
}

function allowSection(): string {
  const rows = Object.entries(allowNames).flatMap(([where, names]) =>
    Object.entries(names).map(([name, meaning]) => `| \`${name}\` | ${where} | ${meaning} |`),
  );
  return [
    '## Allowing by name',
    '',
    'What can do harm and is sometimes wanted has to be allowed by name: `allow: [NAME]` on a node, a route or the service. Other names are errors.',
    '',
    '| name | on | what it allows |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}
