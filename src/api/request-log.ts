import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../core/logger.ts';
import type { LiveService } from './live-service.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** As the OpenAPI document has it. */
    apiPath?: string;
  }
}

/** Never what was sent: that has no end. */
export function pathOf(request: FastifyRequest): string {
  return request.routeOptions.config.apiPath ?? 'other';
}

/** Counts and logs what was answered. Neither query nor body: only what was asked for, by whom, and how it ended. */
export function noteRequest(
  { live, logger }: { readonly live: LiveService; readonly logger: Logger },
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const path = pathOf(request);
  const { method } = request;
  live.counted(path, method, reply.statusCode);
  const { route } = (request.params ?? {}) as { readonly route?: string };
  const fields = {
    method,
    path,
    // One that there is: anything may have been sent in its place.
    ...(request.caller !== null && ![400, 404].includes(reply.statusCode) && { route }),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    address: request.ip,
    token: request.caller?.name ?? null,
  };
  if (method === 'GET' && reply.statusCode < 400) logger.debug(fields, 'request');
  else logger.info(fields, 'request');
}
