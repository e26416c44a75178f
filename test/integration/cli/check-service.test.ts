import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificate, checkService } from '../../../src/control/check-service.ts';
import { ConfigurationFiles, withRoute } from '../../support/configuration-files.ts';

let taken: Server;
let port: number;
let free: number;

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

beforeAll(async () => {
  taken = createServer();
  port = await listening(taken);
  const other = createServer();
  free = await listening(other);
  await new Promise((resolve) => other.close(resolve));
});

afterAll(() => {
  taken.close();
});

async function found(rest: string, env: Record<string, string> = {}): Promise<string[]> {
  using files = new ConfigurationFiles();
  const configuration = files.load(withRoute('tables: ["public.*"]', rest), env);
  const { findings } = await checkService(configuration, { listens: false });
  return findings.map(({ level, code }) => `${level} ${code}`);
}

test.each([
  ['nothing is configured', '', []],
  ['all is well', `service: { api: { listen: "127.0.0.1:0", token: "${'a'.repeat(32)}" } }\n`, []],
  ['no token', 'service: { api: { listen: "127.0.0.1:0" } }\n', ['info service.token']],
  ['a short token', 'service: { api: { listen: "127.0.0.1:0", token: short } }\n', ['warning service.token']],
  ['an address of another host', 'service: { probes: { listen: "203.0.113.7:7655" } }\n', ['error service.port']],
  ['a webhook that is none', 'notify: [{ webhook: "ftp://x/y" }]\n', ['error TL-1002']],
  ['a program that is not there', 'notify: [{ command: ["/no/such/program"] }]\n', ['error notify.command']],
  ['a program that is', 'notify: [{ command: ["sh", "-c", "true"] }]\n', []],
])('of the service it tells of: %s', async (_, rest, expected) => {
  expect(await found(rest.replaceAll('127.0.0.1:0', `127.0.0.1:${free}`))).toEqual(expected);
});

test('a port that is taken, and a token whose variable is not set', async () => {
  expect(await found(`service: { probes: { listen: "127.0.0.1:${port}" } }\n`)).toEqual(['info service.port']);
  const api = `service: { api: { listen: "127.0.0.1:${free}", token: "\${NOT_SET}" } }\n`;
  expect(await found(api)).toEqual(['error TL-1005']);
});

test("a certificate that expires, has expired, or is another key's", () => {
  using files = new ConfigurationFiles();
  const make = (name: string) => {
    const [key, cert] = [`${files.directory}/${name}.key`, `${files.directory}/${name}.pem`];
    const subject = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x', '-days', '90'];
    execFileSync('openssl', ['req', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  };
  const [one, other] = [make('one'), make('other')];
  const levels = (days: number, given = one) =>
    certificate(given, Date.now() + days * 86_400_000).map(({ level, code }) => `${level} ${code}`);
  expect(levels(0)).toEqual([]);
  expect(levels(70)).toEqual(['warning service.tls']);
  expect(levels(91)).toEqual(['error service.tls']);
  expect(levels(0, { ...one, key: other.key })).toEqual(['error service.tls']);
  expect(levels(0, { ...one, cert: 'no PEM' })).toEqual(['error service.tls']);
});
