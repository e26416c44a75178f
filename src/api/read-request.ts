import type { z } from 'zod';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { fail } from '../core/errors/tidelock-error.ts';

/** What was sent as the schema has it. Throws (TL-1044) with the first thing that is wrong, without the value. */
export function readPart<S extends z.ZodType>(schema: S | null, value: unknown, what: string): z.output<S> | undefined {
  if (schema === null) {
    if (isEmpty(value)) return undefined;
    throw fail(serviceErrors.invalidRequest, { why: `${what}: nothing is wanted` });
  }
  const { success, data, error } = schema.safeParse(value ?? {});
  if (success) return data;
  const [issue] = error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  throw fail(serviceErrors.invalidRequest, {
    why: `${path === '' ? what : path}: ${issue?.message ?? 'is not valid'}`,
  });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Nothing is an empty object. Throws (TL-1044) where it is no JSON object. */
export function readJson(text: string): object {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail(serviceErrors.invalidRequest, { why: 'the body is no JSON' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fail(serviceErrors.invalidRequest, { why: 'the body is no JSON object' });
  return value;
}
