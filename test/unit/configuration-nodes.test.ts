import { describe, expect, test } from 'vitest';
import type { ConnectionSettings } from '../../src/core/route.ts';
import { ConfigurationFiles, problemsOf } from '../support/configuration-files.ts';

const file = (keys: string): string => `version: 1\nname: prod\nnodes:\n  n: { type: postgres, ${keys} }\nroutes: {}\n`;

function settings(keys: string, env: Record<string, string> = {}): ConnectionSettings {
  using files = new ConfigurationFiles();
  return files.load(file(keys), env).nodes.demand('n', 'node').connection();
}

describe('a node is reached', () => {
  test('by a url with several hosts and percent-encoded parts', () => {
    expect(settings('url: "postgresql://u%40x:p%3A%2F@h1,h2:5433,[::1]:5434/d%20b"')).toEqual({
      hosts: [
        { host: 'h1', port: 5432 },
        { host: 'h2', port: 5433 },
        { host: '::1', port: 5434 },
      ],
      database: 'd b',
      user: 'u@x',
      password: 'p:/',
      tls: { mode: 'verifyFull' },
    });
  });

  test('by hosts, port, database, user and password', () => {
    expect(settings('hosts: [h1, "h2:1"], port: 7, database: d, user: u, password: p')).toMatchObject({
      hosts: [
        { host: 'h1', port: 7 },
        { host: 'h2', port: 1 },
      ],
      database: 'd',
      user: 'u',
      password: 'p',
    });
  });

  test('with a password that no quoting could break', () => {
    const password = `"'}]: #\n- *x ${'$'}{HOME} &amp; %`;
    expect(settings('url: postgres://u@h/d, password: "${PW}"', { PW: password }).password).toBe(password);
    expect(settings('url: postgres://u@h/d, password: "a$${PW}$"').password).toBe('a${PW}$');
  });

  test.each([
    ['localhost', 'off'],
    ['127.3.2.1', 'off'],
    ['[::1]', 'off'],
    ['localhost,example', 'verifyFull'],
    ['127.example', 'verifyFull'],
  ])('at %s with tls %s unless told otherwise', (hosts, mode) => {
    expect(settings(`url: "postgres://u@${hosts}/d"`).tls.mode).toBe(mode);
    expect(settings(`url: "postgres://u@${hosts}/d", tls: { mode: encrypt }`).tls.mode).toBe('encrypt');
  });

  test('with credentials as they are at that moment', () => {
    using files = new ConfigurationFiles();
    files.write('secret', 'first\n');
    const node = files.load(file('url: postgres://u@h/d, password: "${file:secret}"')).nodes.demand('n', 'node');
    expect(node.connection().password).toBe('first');
    files.write('secret', 'second\n\n');
    expect(node.connection().password).toBe('second\n');
  });

  test('with certificates from files or from references', () => {
    using files = new ConfigurationFiles();
    files.write('ca.pem', '-----BEGIN CERTIFICATE-----\nA\n');
    const text = file('url: postgres://u@h/d, tls: { ca: ca.pem, cert: "${CERT}", key: "${CERT}" }');
    const inline = '-----BEGIN X-----\nB';
    expect(files.load(text, { CERT: inline }).nodes.demand('n', 'node').connection().tls).toEqual({
      mode: 'verifyFull',
      ca: '-----BEGIN CERTIFICATE-----\nA\n',
      cert: inline,
      key: inline,
    });
  });
});

describe('an address is refused', () => {
  test.each([
    ['url: "mysql://u:hunter2@h/d"', 'url'],
    ['url: "postgres://u:hunter2@h/d?sslmode=require"', 'url'],
    ['url: "postgres://u:hunter2@h/d?options=x"', 'url'],
    ['url: "postgres://u:hunter2%zz@h/d"', 'url'],
    ['url: "postgres://u:hunter2@h:99999/d"', 'url'],
    ['url: "postgres://u:hunter2@h/d", password: hunter2', 'password'],
    ['url: "postgres://u:hunter2@h/d", hosts: [x]', 'hosts'],
    ['url: "postgres://u:hunter2@h"', 'database'],
    ['url: "postgres://h/d"', 'user'],
    ['url: "postgres://u:hunter2@h/d", password: 12345', 'password'],
    ['password: hunter2', ''],
    ['url: "postgres://u@h/d", tls: { mode: off, ca: x }', 'tls'],
    ['url: "postgres://u@h/d", tls: { cert: x }', 'tls'],
    ['url: "postgres://u@h/d", tls: { mode: verifyful }', 'tls.mode'],
  ])('at load time, without a secret in the error: %s', (keys, path) => {
    using files = new ConfigurationFiles();
    const error = files.error(file(keys));
    expect(problemsOf(error)).toMatchObject([{ path: path === '' ? 'nodes.n' : `nodes.n.${path}`, line: 4 }]);
    expect(JSON.stringify(error)).not.toMatch(/hunter2|12345/);
  });

  test('sslmode names the key to use', () => {
    using files = new ConfigurationFiles();
    expect(files.error(file('url: "postgres://u@h/d?sslmode=x"')).message).toContain('tls.mode');
  });

  test.each([
    ['url: "${URL}"', { URL: 'nonsense hunter2' }],
    ['url: "${MISSING}"', {}],
    ['url: postgres://u@h/d, password: "${file:/nowhere}"', {}],
    ['url: postgres://u@h/d, tls: { ca: nowhere.pem }', {}],
  ])('at connect where it is only known then: %s', (keys, env) => {
    using files = new ConfigurationFiles();
    const error = files.error(file(keys), (configuration) => configuration.nodes.demand('n', 'node').connection(), env);
    expect(error.code).toMatch(/^TL-100[25]$/);
    expect(problemsOf(error)).toMatchObject([{ file: 'tidelock.yaml', line: 4 }]);
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });
});

describe('the service', () => {
  const service = (keys: string): string => `version: 1\nname: prod\nnodes: {}\nroutes: {}\nservice: { ${keys} }\n`;

  test('has probes and an api with tokens', () => {
    using files = new ConfigurationFiles();
    const text = service('probes: { listen: "[::1]:1" }, api: { listen: 127.0.0.1:2, token: "${T:-}" }');
    expect(files.load(text).service.probes).toEqual({ listen: { host: '::1', port: 1 } });
    expect(files.load(text).service.api?.tokens()).toEqual([]);
    expect(files.load(text, { T: 'x' }).service.api?.tokens()).toEqual([{ name: 'admin', role: 'admin', token: 'x' }]);
  });

  test('listens beyond loopback with token and tls, or by name', () => {
    using files = new ConfigurationFiles();
    expect(files.problems(service('api: { listen: 0.0.0.0:1 }'))).toMatchObject([{ path: 'service.api.listen' }]);
    expect(files.load(service('api: { listen: 0.0.0.0:1 }, allow: [openApi]')).service.api).not.toBeNull();
    const safe = 'api: { listen: 0.0.0.0:1, token: t, tls: { cert: c, key: k } }';
    expect(files.load(service(safe)).service.api).not.toBeNull();
  });
});
