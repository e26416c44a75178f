import fc from 'fast-check';
import { openApi } from '../../../src/api/openapi.ts';

export interface OddRequest {
  /** As it is sent, each character one byte. */
  readonly bytes: string;
  /** It bears the token. */
  readonly isEve: boolean;
}

const mixed = <T>(...some: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...some);
/** Where everything is odd nothing gets any further than the first look at it. */
const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: odd });
const noise = fc.string({ unit: 'binary-ascii', maxLength: 12 });

const described = Object.entries((openApi('0') as { paths: Record<string, object> }).paths).flatMap(([path, verbs]) =>
  Object.keys(verbs).map((verb) => ({
    verb: verb.toUpperCase(),
    path: path.replace('{route}', 'one').replace('{id}', '1'),
  })),
);

/** Other ways to write a path, and some that only look like it. */
const spellings: readonly ((path: string) => string)[] = [
  (path) => path.replaceAll('/', '//'),
  (path) => path.replace('/v1', '/v1/.'),
  (path) => path.replace('/v1', '/x/../v1'),
  (path) => path.replaceAll('/', '/%2e/'),
  (path) => path.replace('/v1/', '/v1%2F'),
  (path) => path.replace('v1', 'V1'),
  (path) => path.replaceAll('/', '\\'),
  (path) => `http://one@other:1${path}`,
  (path) => `${path};x=1`,
  (path) => `${path}%00#/\xff`,
];
const otherTargets = fc.oneof(
  noise,
  mixed('*', '/', '', '/v1', '/v1/', 'other:443', '/assets/../v1/status', '//v1/status'),
);
const query = mostly(
  mixed(''),
  mixed('?', '?a=1&a=2&__proto__=3', '?limit=-1', '?values=true', `?${'x'.repeat(9_000)}`, '?%zz'),
);

const headerLine = fc.oneof(
  mixed(
    'connection: keep-alive',
    'connection: upgrade\r\nupgrade: websocket',
    'expect: 100-continue',
    'expect: marked',
    'transfer-encoding: chunked',
    'transfer-encoding: gzip, chunked',
    'transfer-encoding:\tchunked',
    'content-length: 1',
    'content-length: 99999999999999999999',
    'content-length: -1',
    'content-type: application/json',
    'content-type: application/json; charset=utf-16',
    'content-encoding: gzip',
    'x-http-method-override: DELETE',
    'x-forwarded-for: 127.0.0.1',
    'x-original-url: /v1/status',
    'host: a\r\nhost: b',
    ' folded: line',
    'no colon',
  ),
  fc.tuple(noise, noise).map(([name, value]) => `${name}: ${value}`),
);
const sentBody = fc.oneof(
  fc.json(),
  noise,
  mixed(
    '',
    '{',
    '[]',
    'null',
    '{"__proto__":{"isOpen":true}}',
    '\xef\xbb\xbf{}',
    '0\r\n\r\n',
    '2\r\n{}\r\n0\r\n\r\n',
    'zz\r\n{}',
    `${'['.repeat(20_000)}`,
  ),
);

/** Requests as no client writes them, more or less: of somebody with the token, or of nobody. */
export function oddRequest(token: string): fc.Arbitrary<OddRequest> {
  const right = `authorization: Bearer ${token}`;
  const wrong = [
    '',
    'authorization: Bearer',
    'authorization: Bearer x',
    `authorization: bearer ${token}x`,
    `authorization: Basic ${token}`,
    `proxy-authorization: Bearer ${token}`,
  ];
  return fc
    .record({
      asked: mixed(...described),
      method: mostly(
        mixed(null),
        fc.oneof(mixed('POST', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PUT', 'get', 'PRI'), noise),
      ),
      spelling: mostly(
        mixed((path: string) => path),
        mixed(...spellings),
      ),
      other: mostly(mixed(null), otherTargets),
      query,
      version: mostly(mixed('HTTP/1.1'), fc.oneof(mixed('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9'), noise)),
      host: mostly(mixed('host: x'), mixed('')),
      caller: mixed(...wrong, right, right, right, right),
      headers: mostly(mixed<string[]>([]), fc.array(headerLine, { maxLength: 3 })),
      body: mostly(mixed(null), sentBody),
      tellsLength: mostly(mixed(true), mixed(false)),
      // Another one in the same bytes: what is left of the first must not be taken for it.
      next: mixed('', 'GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n'),
    })
    .map((odd) => {
      const { asked, version, host, caller, next } = odd;
      const method = odd.method ?? asked.verb;
      const at = `${odd.other ?? odd.spelling(asked.path)}${odd.query}`;
      const body = odd.body ?? (asked.verb === 'GET' ? '' : '{}');
      const about = body === '' ? [] : ['content-type: application/json'];
      const length = odd.tellsLength && body !== '' ? [`content-length: ${body.length}`] : [];
      const lines = [host, caller, ...about, ...odd.headers, ...length].filter((line) => line !== '');
      const head = lines.map((line) => `${line}\r\n`).join('');
      return { bytes: `${method} ${at} ${version}\r\n${head}\r\n${body}${next}`, isEve: caller === right };
    });
}
