import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/**
 * Tells what of a value one of the definitions in a file of this folder refuses, as `place why details`. The file has a definition a line:
 * `{"name": ..., "schema": ...}`, which refer to each other as `#/$defs/NAME`.
 */
export function refusedBy(file: string, name: string, value: unknown): string[] {
  const validate = validatorOf(file, name);
  validate(value);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** Compiling the largest takes a quarter of a second. */
const validators = new Map<string, ValidateFunction>();

function validatorOf(file: string, name: string): ValidateFunction {
  const key = `${file} ${name}`;
  const known = validators.get(key);
  if (known !== undefined) return known;
  const definitions: object = Object.fromEntries(
    readFileSync(new URL(file, import.meta.url), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly name: string; readonly schema: object })
      .map(({ name, schema }) => [name, schema]),
  );
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const validate = ajv.compile({ $defs: definitions, $ref: `#/$defs/${name}` });
  validators.set(key, validate);
  return validate;
}
