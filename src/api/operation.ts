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
  /** It asks the nodes much, and tells whoever asks the same: one run for all who do, and nobody waits for it without end. */
  readonly shared: boolean;
  run(call: Call): Promise<object>;
  /** What of the answer this role may see. */
  seenBy(answer: object, role: Role): object;
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
  readonly shared?: boolean;
  run(call: Call<z.output<Q>, z.output<B>>): Promise<z.output<A> & object>;
  seenBy?(answer: z.output<A>, role: Role): z.output<A> & object;
}

export function operation<Q extends z.ZodObject, B extends z.ZodObject, A extends z.ZodType>(
  options: OperationOptions<Q, B, A>,
): Operation {
  const { query = null, body = null, role, needs = () => role, shared = false } = options;
  // Query and body were read with these very schemas.
  const run = options.run as (call: Call) => Promise<object>;
  const seenBy = (options.seenBy ?? ((answer) => answer)) as Operation['seenBy'];
  return { ...options, query, body, needs: needs as (query: unknown) => Role, shared, run, seenBy };
}
