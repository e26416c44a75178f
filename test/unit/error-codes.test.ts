import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCatalogue } from '../../src/core/errors/catalogue.ts';

const root = new URL('../', import.meta.url);

/** What only shows errors to the page, or changes the engine, meets none. */
const meetsNone = /^(web\/fake-|mutations\/|unit\/error-codes)/;

/** Tests, and what they are made of. */
const texts = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !meetsNone.test(path))
  .map((path) => readFileSync(new URL(path, root), 'utf8'));

test('each code of the catalogue stands in a test', () => {
  const known = new Set(texts.flatMap((text) => text.match(/\bTL-\d{4}\b/g) ?? []));
  expect(errorCatalogue.map(({ code }) => code).filter((code) => !known.has(code))).toEqual([]);
});
