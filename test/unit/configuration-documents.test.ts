import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { apiPage } from '../../src/api/documentation/api-page.ts';
import { configurationPage } from '../../src/config/documentation/configuration-page.ts';
import { errorsPage } from '../../src/config/documentation/errors-page.ts';
import { configurationJsonSchema } from '../../src/config/json-schema.ts';
import { errorCatalogue } from '../../src/core/errors/catalogue.ts';
import { expressionsPage } from '../../src/expression/documentation/expressions-page.ts';
import { metricsPage } from '../../src/metrics/documentation/metrics-page.ts';

test.each([
  ['configuration', configurationPage],
  ['errors', errorsPage],
  ['expressions', expressionsPage],
  ['metrics', metricsPage],
  ['api', apiPage],
])('docs/%s.md is as "npm run docs" writes it', (name, page) => {
  expect(readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')).toBe(page());
});

test('every error has a code of its own, of the form TL-nnnn', () => {
  const codes = errorCatalogue.map((kind) => kind.code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes.filter((code) => !/^TL-[1-5][0-9]{3}$/.test(code))).toEqual([]);
});

test('every key has a description', () => {
  const missing: string[] = [];
  const walk = (path: string, schema: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)) {
      if (typeof value.description !== 'string') missing.push(`${path}.${key}`);
      walk(`${path}.${key}`, value);
    }
    for (const inner of [schema.items, schema.additionalProperties, ...((schema.anyOf ?? []) as unknown[])])
      if (typeof inner === 'object' && inner !== null) walk(path, inner as Record<string, unknown>);
  };
  walk('', configurationJsonSchema() as Record<string, unknown>);
  expect(missing).toEqual([]);
});

test('the JSON Schema knows includes, own keys and references', () => {
  const text = JSON.stringify(configurationJsonSchema());
  expect(text).not.toContain('x-type');
  expect(JSON.parse(text)).toMatchObject({
    properties: { include: { type: 'array' } },
    patternProperties: { '^x-': {} },
  });
});
