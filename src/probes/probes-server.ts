import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import type { ServiceMetrics } from '../metrics/service-metrics.ts';
import type { RouteConditions } from '../supervisor/route-conditions.ts';
import { isHealthy, readiness, routeHealth } from './verdicts.ts';

export interface ProbesOptions {
  readonly conditions: RouteConditions;
  readonly metrics: Pick<ServiceMetrics, 'text' | 'contentType'>;
  readonly logger: Logger;
  /** The service was told to end. */
  isDraining(): boolean;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * /healthz, /readyz, /metrics and /health/routes, for whoever can reach the address: no token, and so nothing that is
 * worth one. No row values, no addresses, no texts of errors, which may name both; names of routes and tables, states and codes.
 */
export class ProbesServer {
  readonly #options: ProbesOptions;
  readonly #server: Server;

  constructor(options: ProbesOptions) {
    this.#options = options;
    // Nobody needs long for a question without a body; whoever does is let go.
    this.#server = createServer(
      { requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 },
      (request, response) => {
        this.#answer(request).then(
          (answer) => send(request, response, answer),
          (error: unknown) => {
            options.logger.error({ err: error }, 'probe failed');
            send(request, response, text(500, 'failed'));
          },
        );
      },
    );
    this.#server.maxConnections = 100;
  }

  /** Resolves with the port. Throws where the address is taken, or not this host's. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    this.#server.listen(port, host);
    try {
      await once(this.#server, 'listening');
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw fail(serviceErrors.cannotListen, { what: 'service.probes', address: `${host}:${port}`, why }, error);
    }
    this.#server.on('error', (error) => this.#options.logger.error({ err: error }, 'probes failed'));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD');
    const path = (request.url ?? '').split('?')[0] ?? '';
    const { conditions, metrics, isDraining } = this.#options;
    if (path === '/healthz') return text(200, 'ok');
    if (path === '/readyz') return json(readiness(conditions, isDraining()));
    if (path === '/metrics') return { status: 200, type: metrics.contentType, body: await metrics.text() };
    if (path === '/health/routes') {
      const routes = conditions.routes().flatMap((name) => routeHealth(conditions, name) ?? []);
      return json({ ok: routes.every(isHealthy), routes });
    }
    const name = /^\/health\/routes\/([a-z0-9-]{1,30})$/.exec(path)?.[1];
    const route = name === undefined ? null : routeHealth(conditions, name);
    if (route === null) return text(404, 'nothing is here');
    return json({ ok: isHealthy(route), ...route });
  }
}

function json(body: { readonly ok: boolean; readonly [key: string]: unknown }): Answer {
  return { status: body.ok ? 200 : 503, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
