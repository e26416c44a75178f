import type { FastifyInstance } from 'fastify';
import { readWebPage, webPageHeaders } from './web-page.ts';

/** The page at /, without a token: it asks for one, and has no data of its own. */
export function addWebPage(app: FastifyInstance): void {
  const files = readWebPage();
  if (files === null) {
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
