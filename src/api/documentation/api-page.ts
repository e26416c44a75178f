import { readFileSync } from 'node:fs';
import { openApi } from '../openapi.ts';

const introduction = readFileSync(new URL('./introduction.md', import.meta.url), 'utf8').trim();

interface Schema {
  readonly type?: string | readonly string[];
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
}

interface Content {
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Described {
  readonly summary: string;
  readonly description?: string;
  readonly 'x-role': string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: Schema;
    readonly description?: string;
  }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

/** docs/api.md: how to use the API, then each path and each document of the OpenAPI document. */
export function apiPage(): string {
  const { paths, components } = openApi('') as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };
  const entries = Object.entries(paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, described]) => entry(`${verb.toUpperCase()} ${path}`, described)),
  );
  const documents = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `### ${name}\n\n${schema.description === undefined ? '' : `${schema.description}\n\n`}${keys(schema)}`,
  );
  return `${[introduction, '## Paths', ...entries, '## Documents', ...documents].join('\n\n')}\n`;
}

function entry(
  heading: string,
  { summary, description, parameters, requestBody, responses, ...rest }: Described,
): string {
  const query = parameters.filter((one) => one.in === 'query');
  const body = requestBody?.content['application/json']?.schema;
  const answer = Object.values(responses[200]?.content ?? {})[0]?.schema ?? {};
  return [
    `### ${heading}`,
    `${summary}.${description === undefined ? '' : ` ${description}`}`,
    `Role: ${rest['x-role']}. Answer: ${typeOf(answer)}.`,
    ...(query.length === 0
      ? []
      : [
          table(
            'query',
            query.map((one) => row(one.name, one.schema, one.description, false)),
          ),
        ]),
    ...(body === undefined ? [] : [keys(body, 'body')]),
  ].join('\n\n');
}

function keys({ properties = {}, required = [] }: Schema, title = 'key'): string {
  return table(
    title,
    Object.entries(properties).map(([name, schema]) => row(name, schema, schema.description, required.includes(name))),
  );
}

function table(title: string, rows: readonly string[]): string {
  return [`| ${title} | type | meaning |`, '| --- | --- | --- |', ...rows].join('\n');
}

function row(name: string, schema: Schema, description = '', isWanted = true): string {
  const otherwise = schema.default === undefined ? '' : ` Default: ${JSON.stringify(schema.default)}.`;
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  return `| \`${name}\`${isWanted ? '' : ' (optional)'} | ${cell(typeOf(schema))} | ${cell(description + otherwise).trim()} |`;
}

function typeOf({ type, $ref, enum: names, anyOf, oneOf, items, properties, ...rest }: Schema): string {
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? '';
    return `[${name}](#${name.toLowerCase()})`;
  }
  if ('const' in rest) return `\`${JSON.stringify(rest.const)}\``;
  if (names !== undefined) return names.map((name) => `\`${String(name)}\``).join(', ');
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  if (properties !== undefined) return `{ ${Object.keys(properties).join(', ')} }`;
  return [type ?? 'any'].flat().join(' or ');
}
