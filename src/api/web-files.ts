import type { FastifyInstance } from 'fastify';
import type { Logger } from '../core/logger.ts';
import { readWebPage, webPageHeaders } from './web-page.ts';

/** The page at /, without a token: it asks for one, and has no data of its own. */
export function addWebPage(app: FastifyInstance, logger: Logger): void {
  const files = readWebPage();
  if (files === null) {
    logger.warn(
      { command: 'npm run build:web' },
      'the web page is not built, so that there is none at this address; a service that is started after it was serves it',
    );
    app.route({
      method: 'GET',
      url: '/',
      config: { apiPath: '/', isOpen: true },
      handler: async (_, reply) =>
        reply
          .type('text/plain; charset=utf-8')
          .send('The web page is not built ("npm run build:web"). The API is below /v1.\n'),
    });
    return;
  }
  for (const [path, { type, body, etag, cacheControl }] of files) {
    app.route({
      method: 'GET',
      url: path,
      config: { apiPath: '/', isOpen: true },
      handler: async (request, reply) => {
        reply.headers({ ...webPageHeaders, etag, 'cache-control': cacheControl });
        if (request.headers['if-none-match'] === etag) return reply.status(304).send();
        return reply.type(type).send(body);
      },
    });
  }
}
