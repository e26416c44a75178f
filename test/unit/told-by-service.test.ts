import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { main } from '../../src/cli/tidelock.ts';

/** What a command says that asks a service which answers so, and its exit code. */
async function told(answers: Readonly<Record<string, object>>, ...argv: string[]) {
  const server = createServer((request, response) => {
    const [, document] = Object.entries(answers).find(([path]) => request.url?.startsWith(path)) ?? [];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    let err = '';
    const stream = (write: (text: string) => void) =>
      ({
        isTTY: false,
        write: (text: string) => {
          write(text);
          return true;
        },
      }) as unknown as NodeJS.WriteStream;
    const { port } = server.address() as AddressInfo;
    const code = await main(['node', 'tidelock', ...argv, '--url', `http://127.0.0.1:${port}`], {
      env: {},
      out: stream(() => {}),
      err: stream((text) => {
        err += text;
      }),
    });
    return { code, err };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const service = { version: 1, routes: ['one'] };

test('a takeover that nobody has taken up is a no, and says who could', async () => {
  const taken = { name: 'one', desiredState: 'running', changed: true, engine: false, holder: null };
  const { code, err } = await told({ '/v1/service': service, '/v1/routes/one': taken }, 'start', 'one', '--takeover');
  expect(code).toBe(1);
  expect(err).toMatch(/^TL-4011 route one was taken .*\n.*"tidelock run"/);
});

test('a request about parked transactions that nobody has carried out in time says that it stays', async () => {
  const parked = { '/v1/service': service, '/v1/routes/one': { done: false } };
  const { code, err } = await told(parked, 'parked', 'retry', 'one', '--all', '--timeout', '1ms');
  expect(code).toBe(2);
  expect(err).toMatch(/TL-4205 .*0\.001 s\n.*stored/s);
});
