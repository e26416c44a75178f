import type { Finding } from '../core/finding.ts';
import { tableLabel } from '../core/table.ts';
import type { LeftOut, SchemaStatement } from '../core/table-schema.ts';
import { targetSchema } from '../operations/target-schema.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { mappedTables } from './mapped-tables.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import type { OpenedRoute } from './open-route.ts';

/** `schema --json`. */
export interface SchemaDocument {
  readonly version: 1;
  readonly route: string;
  readonly target: NodePlace;
  /** What the target lacks, in the order in which it is made. */
  readonly statements: readonly SchemaStatement[];
  /** What is there and is not as at the source. */
  readonly findings: readonly Finding[];
  /** What belongs to the source's tables, or lies beside them, and is not made at the target. */
  readonly left: readonly LeftOut[];
}

export interface RefusedStatement extends SchemaStatement {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface AppliedSchema extends SchemaDocument {
  /** What was carried out by this call; `statements` are what is left to do. */
  readonly applied: readonly SchemaStatement[];
  /** What the server has refused of it, each with its reason; they are among what is left to do. */
  readonly refused: readonly RefusedStatement[];
  /** All that was asked for is carried out, or refused. */
  readonly done: boolean;
}

export interface ApplySchemaOptions {
  /** Null: before, and after, too, where the tables are loaded. */
  readonly half: 'before' | 'after' | 'all' | null;
  /** How long the answer may take, the work goes on; null: until all is done. */
  readonly forMs: number | null;
  onStatement?(statement: SchemaStatement, of: { readonly number: number; readonly count: number }): void;
}

/** The target's tables as the source has them, through the route, and what of that is missing. Changes nothing. */
export async function readRouteSchema(route: OpenedRoute): Promise<SchemaDocument> {
  const { definition, source, target } = route;
  const bindings: TableBinding[] = [];
  const mapped = await mappedTables(route, {
    onError: (error) => {
      throw error;
    },
    onBinding: (binding) => bindings.push(binding),
  });
  const expected = targetSchema(await source.schema(), bindings, target.naming);
  const { statements, findings, left = [] } = await target.compareSchema(expected);
  const made = new Set(statements.map(({ what }) => what));
  const there = mapped.map((table) => table.mapped).filter((table) => !made.has(`table ${tableLabel(table)}`));
  // Types that do not fit, triggers that would fire: what keeps the tables that are there from being a target.
  const known = new Set(findings.map(({ table, level }) => `${table} ${level}`));
  const spoilt = (await target.preflight(there)).filter(
    ({ table, code }) => table !== undefined && !(code === 'TL-2102' && known.has(`${table} error`)),
  );
  return {
    version: 1,
    route: definition.name,
    target: placeOfNode(definition.to),
    statements,
    findings: [...findings, ...spoilt],
    left: [...expected.left, ...left],
  };
}

/**
 * Repeatable: what is there is not made again, and what an interrupted call has left half made is. What is refused keeps nothing back but what can't be
 * there without it.
 */
export async function applyRouteSchema(
  route: OpenedRoute,
  { half, onStatement }: Omit<ApplySchemaOptions, 'forMs'>,
  signal: AbortSignal,
): Promise<AppliedSchema> {
  const { statements } = await readRouteSchema(route);
  const halves = half ?? ((await isLoaded(route)) ? 'all' : 'before');
  const wanted = statements.filter((statement) => halves === 'all' || statement.half === halves);
  const refused = new Map<SchemaStatement, RefusedStatement>();
  let number = 0;
  await route.target.carryOut(wanted, {
    signal,
    onBegin: (statement) => onStatement?.(statement, { number: ++number, count: wanted.length }),
    onRefused: (statement, { code, message, remedy }) =>
      refused.set(statement, { ...statement, code, message, remedy }),
  });
  const after = await readRouteSchema(route);
  const applied = wanted.filter((statement) => !refused.has(statement));
  return { ...after, applied, refused: [...refused.values()], done: true };
}

async function isLoaded(route: OpenedRoute): Promise<boolean> {
  const store = await route.store();
  const checkpoint = (await store.read())?.checkpoint;
  return checkpoint?.phase === 'ready';
}
