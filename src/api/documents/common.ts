import { z } from 'zod';
import type { NodePlace } from '../../control/node-place.ts';
import type { Position } from '../../core/position.ts';
import type { Reason } from '../../core/route-status.ts';
import { type Health, type RouteState, routeStates, type WantedState } from '../../core/route-status.ts';

export const version = z.literal(1).describe('Of the document.');
export const count = z.number().int().min(0);
export const time = z.string().describe('ISO 8601, UTC.');
export const position = z
  .string()
  .describe('A place in the log of the source, as its connector writes it.') as unknown as z.ZodType<Position>;
export const routeState: z.ZodType<RouteState | 'unknown'> = z
  .enum([...routeStates, 'unknown'])
  .describe('Clients take one that they do not know for not running.');
export const wantedState: z.ZodType<WantedState> = z.enum(['running', 'paused', 'stopped']);
export const health: z.ZodType<Health> = z.enum(['ok', 'warning', 'critical', 'unknown']);

export const reason: z.ZodType<Reason> = z
  .object({
    code: z.string().describe('See docs/errors.md.'),
    message: z.string(),
    remedy: z.string().exactOptional(),
    transaction: z
      .object({ id: z.string(), position: z.string().nullable() })
      .exactOptional()
      .describe('The source transaction that the route has halted at.'),
  })
  .meta({ id: 'Reason' });

export const nodePlace: z.ZodType<NodePlace> = z
  .object({ node: z.string(), hosts: z.array(z.string()), database: z.string() })
  .meta({ id: 'NodePlace' });

export const finding = z.object({
  level: z.enum(['error', 'warning', 'info']),
  code: z.string(),
  node: z.string(),
  table: z.string().exactOptional(),
  whole: z.string().exactOptional().describe('Where `table` is a partition: the table that it belongs to.'),
  message: z.string(),
  remedy: z.string(),
  statement: z.string().exactOptional().describe('That mends it; Tidelock never runs it.'),
});

export const errorAnswer = z
  .object({
    error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }),
  })
  .meta({ id: 'Error', description: 'Why something was not done. docs/errors.md has all codes.' });
