import { z } from 'zod';
import { errorAnswer } from './documents/common.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations/operations.ts';

type Json = Record<string, unknown>;

const errors: Readonly<Record<string, string>> = {
  400: 'The request is not valid.',
  401: 'No token, or one that the service does not know.',
  403: 'The role of the token does not allow it, or the request is from another origin.',
  404: 'No such route, or nothing of that number.',
  409: 'The state of the route, or of what is stored, does not allow it.',
  413: 'The body is too large.',
  415: 'The body is no JSON.',
  429: 'Too many requests, or too many wrong tokens.',
  500: 'An error of the service; its log has it.',
  502: 'A database refuses what Tidelock asks of it.',
  503: "A database can't be reached, or the service is ending. Ask again.",
};

const parameterOf: Readonly<Record<string, Json>> = {
  route: {
    name: 'route',
    in: 'path',
    required: true,
    schema: { type: 'string', maxLength: 30 },
    description: 'Its name.',
  },
  id: {
    name: 'id',
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: '^[0-9]{1,15}$' },
    description: 'Number of a parked transaction.',
  },
};

/**
 * The OpenAPI 3.1 document of the API, made of the schemas that requests are read with. Answers may have more keys than
 * are described: later versions add some.
 */
export function openApi(version: string, { strict = false }: { readonly strict?: boolean } = {}): Json {
  const schemas: Json = {};
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const made = z.toJSONSchema(schema, { io, reused: 'inline' }) as Json;
    const { $defs = {}, $schema: _, ...own } = relocated(made, io === 'output' && !strict) as Json & { $defs?: Json };
    Object.assign(schemas, $defs);
    const id = z.globalRegistry.get(schema)?.id;
    if (id === undefined || '$ref' in own) return own;
    schemas[id] = own;
    return { $ref: `#/components/schemas/${id}` };
  };
  const answerOf = (schema: z.ZodType): Json => ({ 'application/json': { schema: schemaOf(schema, 'output') } });
  const failures = Object.fromEntries(
    Object.entries(errors).map(([status, description]) => [status, { description, content: answerOf(errorAnswer) }]),
  );
  const paths: Record<string, Json> = {};
  const add = (path: string, method: string, described: Json): void => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: described };
  };
  for (const one of operations) add(one.path, one.method, described(one));

  function described({ id, path, summary, description, role, query, body, answer }: Operation): Json {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name = '']) => parameterOf[name] ?? []);
    const wants = body === null ? null : schemaOf(body, 'input');
    return {
      operationId: id,
      summary,
      ...(description !== undefined && { description }),
      'x-role': role,
      parameters: [...inPath, ...(query === null ? [] : queryParameters(schemaOf(query, 'input')))],
      ...(wants !== null && {
        requestBody: { required: isNeeded(wants), content: { 'application/json': { schema: wants } } },
      }),
      responses: { 200: { description: 'Done.', content: answerOf(answer) }, ...failures },
    };
  }

  add('/v1/openapi.json', 'GET', {
    operationId: 'readOpenApi',
    summary: 'This document',
    'x-role': 'viewer',
    parameters: [],
    responses: {
      200: { description: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } },
      ...failures,
    },
  });
  add('/v1/events', 'GET', {
    operationId: 'readEvents',
    summary: 'Server-sent events',
    description:
      'Event `status` is the document of /v1/status: at each change, and every two seconds. Event `journal` is one entry of the journal, as it is written. Event `problem` is an error: the status could not be read. A comment comes every 15 seconds.',
    'x-role': 'viewer',
    parameters: [],
    responses: {
      200: { description: 'The stream.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
      ...failures,
    },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidelock',
      version,
      description:
        'What the command line does, over HTTP: the same documents as its --json. Keys are added to answers and never changed. `x-role` is the least role that a token needs: viewer, operator or admin.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => a.localeCompare(b))),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function isNeeded({ required = [] }: { readonly required?: readonly string[] }): boolean {
  return required.length > 0;
}

function queryParameters({ properties = {} }: { readonly properties?: Record<string, Json> }): Json[] {
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: false,
    schema,
    ...(description !== undefined && { description }),
  }));
}

/** References into the document's components; without `additionalProperties: false` where `open`. */
function relocated(value: unknown, open: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => relocated(item, open));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      if (open && key === 'additionalProperties' && item === false) return [];
      if (key === '$ref' && typeof item === 'string') return [[key, item.replace('#/$defs/', '#/components/schemas/')]];
      return [[key, relocated(item, open)]];
    }),
  );
}
