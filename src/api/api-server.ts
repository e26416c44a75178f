import type { Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { ApiSettings } from '../config/configuration.ts';
import type { Asked, Control } from '../control/control.ts';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import { Admission, type ApiLimits } from './admission.ts';
import { answerOf } from './answer-error.ts';
import { EventFeed } from './event-feed.ts';
import { streamEvents } from './event-stream.ts';
import type { LiveService } from './live-service.ts';
import { openApi } from './openapi.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations/operations.ts';
import { readJson, readPart } from './read-request.ts';
import { noteRequest, pathOf } from './request-log.ts';
import type { Role } from './role.ts';
import { SharedAnswers } from './shared-answers.ts';
import { answerUnread } from './unread-request.ts';
import { addWebPage } from './web-files.ts';

export interface ApiServerOptions {
  /** As the configuration has them now: it may be read again. */
  readonly settings: ApiSettings;
  readonly control: Control;
  readonly live: LiveService;
  readonly logger: Logger;
  /** Of each address; the service's own where absent. */
  readonly limits?: ApiLimits;
}

interface Route {
  readonly path: string;
  readonly role: Role;
}

const ownLimits: ApiLimits = {
  requests: { burst: 200, perSecond: 50 },
  refusals: { burst: 10, perSecond: 1 / 6 },
};
const bodyLimit = 64 * 1024;
const mostStreams = 64;
const streamLookMs = 2_000;
const tlsLookMs = 60_000;
/** Shorter than proxies and browsers wait. */
const sharedForMs = 20_000;

/** With every answer: it is data for whoever asked, and nothing else. */
const headers = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** The HTTP API: who may ask (admission.ts), what there is to ask for (operations), and then what Control does. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #app: FastifyInstance;
  readonly #admission: Admission;
  readonly #feed: EventFeed;
  readonly #over = new AbortController();
  readonly #shared = new SharedAnswers(sharedForMs);
  #streams = 0;
  #tlsLook: NodeJS.Timeout | null = null;

  /** Throws where tokens or certificate can't be resolved. */
  constructor(options: ApiServerOptions) {
    const { settings, control, live, logger, limits = ownLimits } = options;
    this.#options = options;
    this.#admission = new Admission({ settings, control, logger, limits });
    this.#feed = new EventFeed(options);
    const tls = settings.tls();
    this.#app = fastify({
      logger: false,
      bodyLimit,
      // What a request may take to come in; answers may take longer.
      requestTimeout: 10_000,
      connectionTimeout: 0,
      keepAliveTimeout: 5_000,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: 200 },
      // A path that can't be decoded, or with a part that is too long: no hook and no handler of ours is asked then.
      frameworkErrors: (error, request, reply) => {
        reply.headers(headers);
        live.counted('other', request.method, error.statusCode ?? 400);
        this.#sendError(error, request, reply);
      },
      clientErrorHandler: (error, socket) => answerUnread(error, socket as Socket, headers),
      ...(tls !== null && { https: { ...tls, minVersion: 'TLSv1.2' } }),
    }) as unknown as FastifyInstance;
    if (tls !== null) this.#tlsLook = setInterval(() => this.#renewTls(), tlsLookMs).unref();
    this.#addRoutes();
  }

  /** Resolves with the port. Throws where the address is taken, or not this host's. */
  async listen(): Promise<number> {
    const { host, port } = this.#options.settings.listen;
    try {
      await this.#app.listen({ host, port });
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw fail(serviceErrors.cannotListen, { what: 'service.api', address: `${host}:${port}`, why }, error);
    }
    this.#app.server.maxConnections = 500;
    return (this.#app.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (this.#tlsLook !== null) clearInterval(this.#tlsLook);
    this.#over.abort();
    await this.#app.close();
  }

  #addRoutes(): void {
    const app = this.#app;
    app.decorateRequest('caller', null);
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
      try {
        done(null, readJson(String(text)));
      } catch (error) {
        done(error as Error);
      }
    });
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(headers);
      this.#admission.admit(request);
    });
    app.addHook('onResponse', async (request, reply) => noteRequest(this.#options, request, reply));
    app.setErrorHandler((error, request, reply) => this.#sendError(error, request, reply));
    app.setNotFoundHandler((request) => {
      const path = request.url.split('?')[0] ?? '';
      throw fail(serviceErrors.noSuchPath, { method: request.method, path: path.slice(0, 200) });
    });
    for (const one of operations) this.#addOperation(one);
    const document = openApi(this.#options.live.version);
    this.#get({ path: '/v1/openapi.json', role: 'viewer' }, async () => document);
    this.#get({ path: '/v1/events', role: 'viewer' }, async (request, reply) => this.#stream(request, reply));
    addWebPage(app, this.#options.logger);
  }

  #addOperation(operation: Operation): void {
    this.#app.route({
      method: operation.method,
      url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      exposeHeadRoute: false,
      config: {
        apiPath: operation.path,
        role: operation.role,
        ...(operation.method !== 'GET' && { action: operation.id }),
      },
      handler: (request, reply) => this.#run(operation, request, reply),
    });
  }

  #get({ path, role }: Route, run: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): void {
    this.#app.route({
      method: 'GET',
      url: path,
      exposeHeadRoute: false,
      config: { apiPath: path, role },
      handler: run,
    });
  }

  async #run(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<object> {
    const { control, live, logger } = this.#options;
    const query = readPart(operation.query, request.query, 'query');
    const caller = this.#admission.demand(request, operation.needs(query));
    const body = readPart(operation.body, request.body, 'body');
    const { route = '', id = '' } = request.params as { readonly route?: string; readonly id?: string };
    const { reason = null } = (body ?? {}) as { readonly reason?: string };
    const asked: Asked = { by: caller.name, via: 'api', reason };
    const gone = new AbortController();
    // The answer's, which comes with its end, too: a connection lives on for the next request, and would gather listeners.
    reply.raw.once('close', () => gone.abort());
    const run = (until: AbortSignal): Promise<object> =>
      operation.run({ control, live, route, id, query, body, role: caller.role, asked, signal: until });
    const question = JSON.stringify([operation.id, route, id, query]);
    const answer = await (operation.shared
      ? this.#shared.ask(question, () => run(this.#over.signal))
      : run(AbortSignal.any([gone.signal, this.#over.signal])));
    const document = operation.seenBy(answer, caller.role);
    // It is sent all the same: whoever has to act must not be kept from it by a key that is described wrong.
    const { error } = operation.answer.safeParse(document);
    if (error !== undefined)
      logger.error({ operation: operation.id, at: error.issues[0]?.path.join('.') }, 'an answer is not as described');
    return document;
  }

  /** Until the client goes, the service ends, or its token is nobody's any more. */
  #stream(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (this.#streams >= mostStreams) throw fail(serviceErrors.notReady, { why: 'too many streams are open' });
    this.#streams++;
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    reply.hijack();
    const refused = new AbortController();
    const look = setInterval(() => {
      if (this.#admission.isRefused(request)) refused.abort();
    }, streamLookMs);
    reply.raw.once('close', () => {
      clearInterval(look);
      this.#streams--;
    });
    streamEvents(this.#feed, reply.raw, AbortSignal.any([this.#over.signal, refused.signal]));
    return reply;
  }

  #sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { status, headers: more, body } = answerOf(error);
    if (status >= 500) this.#options.logger.error({ err: error, path: pathOf(request) }, 'request failed');
    reply.status(status).headers(more).send(body);
  }

  /** A certificate that was renewed counts from the next connection on. */
  #renewTls(): void {
    try {
      const tls = this.#options.settings.tls();
      if (tls !== null)
        (this.#app.server as unknown as SecureServer).setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the certificate of the API cannot be read; the one before stays');
    }
  }
}
