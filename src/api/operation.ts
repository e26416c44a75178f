import type { z } from 'zod';
import type { Asked, Control } from '../control/control.ts';
import type { LiveService } from './live-service.ts';
import type { Role } from './role.ts';

/** Who asks, and what there is to answer with. */
export interface Call<Query = unknown, Body = unknown> {
  /** Of the path. */
  readonly route: string;
  readonly id: string;
  readonly query: Query;
  readonly body: Body;
  readonly role: Role;
  readonly control: Control;
  readonly live: LiveService;
  /** For the journal, with the `reason` of the body. */
  readonly asked: Asked;
  /** Aborts when the client has gone or the service ends. */
  readonly signal: AbortSignal;
}

/** One path and verb of the API: its place in the OpenAPI document, who may use it, and what it does. */
export interface Operation {
  /** operationId. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With {route} and {id}. */
  readonly path: string;
  readonly role: Role;
  readonly summary: string;
  readonly description?: string;
  readonly query: z.ZodObject | null;
  readonly body: z.ZodObject | null;
  /** Null: not JSON, described by `description`. */
  readonly answer: z.ZodType;
  /** Where what is asked for wants more than `role`. */
  needs(query: unknown): Role;
  run(call: Call): Promise<object>;
}

interface OperationOptions<Q extends z.ZodObject, B extends z.ZodObject, A extends z.ZodType> {
  readonly id: string;
  readonly method: Operation['method'];
  readonly path: string;
  readonly role: Role;
  readonly summary: string;
  readonly description?: string;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: A;
  needs?(query: z.output<Q>): Role;
  run(call: Call<z.output<Q>, z.output<B>>): Promise<z.output<A> & object>;
}

export function operation<Q extends z.ZodObject, B extends z.ZodObject, A extends z.ZodType>(
  options: OperationOptions<Q, B, A>,
): Operation {
  const { query = null, body = null, role, needs = () => role } = options;
  // Query and body were read with these very schemas.
  const run = options.run as (call: Call) => Promise<object>;
  return { ...options, query, body, needs: needs as (query: unknown) => Role, run };
}
