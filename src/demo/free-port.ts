import { once } from 'node:events';
import { createServer } from 'node:net';
import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { fail } from '../core/errors/tidelock-error.ts';

/** Of the loopback address. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw fail(nodeErrors.demoServers, { why: 'no free port' });
  return address.port;
}
