import { z } from 'zod';
import { configurationSchema } from './schema/configuration-schema.ts';
import { scalars } from './schema/scalars.ts';

/** What of JSON Schema comes out of our descriptions. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  properties?: Record<string, JsonSchema>;
  patternProperties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  not?: JsonSchema;
  'x-type'?: string;
}

/** With the name of each key's type (`x-type`), for the documentation. */
export function describedSchema(): JsonSchema {
  const schema = z.toJSONSchema(configurationSchema(scalars('written')), {
    io: 'input',
    override: ({ jsonSchema, zodSchema }) => {
      // Zod leaves examples out where input and output differ in type; ours are always of the input.
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
      // Keys that begin with x- are the user's own.
      if (jsonSchema.properties !== undefined) jsonSchema.patternProperties = { '^x-': {} };
    },
  }) as JsonSchema;
  // `include` is gone before the file is checked, since it is what the file is made of.
  const include = {
    type: 'array',
    description: includeDescription,
    items: { type: 'string' },
    'x-type': 'list of files',
    examples: [['routes/*.yaml']],
  };
  schema.properties = { ...schema.properties, include };
  return schema;
}

/** For editors: completion and checks while typing. References are valid wherever a value is. */
export function configurationJsonSchema(): object {
  const schema = describedSchema();
  // In an included file every key may be missing, and what a route lacks may come from `defaults`.
  delete schema.required;
  const route = schema.properties?.routes?.additionalProperties;
  if (typeof route === 'object') delete route.required;
  return JSON.parse(JSON.stringify(schema, (key, value: unknown) => (key === 'x-type' ? undefined : value)));
}

export const includeDescription =
  'Further files, as names or globs relative to this one. They add to this one and never override.';
