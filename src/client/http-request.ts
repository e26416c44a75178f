import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { errorCatalogue } from '../core/errors/catalogue.ts';
import { type ErrorKind, fail, TidelockError } from '../core/errors/tidelock-error.ts';

export interface Service {
  readonly url: URL;
  /** Empty: none is sent. */
  readonly token: string;
  /** PEM text of an authority that is trusted besides; null: only those of the system. */
  readonly ca: string | null;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the service's address: v1/status. */
  readonly path: string;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** The service answers within a minute, whatever is asked. */
const silenceMs = 90_000;
const mostBytes = 256_000_000;

/** The document that the service answers with. Throws its error as it was thrown there, and TL-1046, TL-1047 of the way to it. */
export async function ask(service: Service, request: HttpRequest): Promise<unknown> {
  const { status, text } = await send(service, request);
  const answer = parsed(text);
  if (status >= 200 && status < 300 && answer !== null) return answer;
  throw thrownThere(answer) ?? fail(serviceErrors.notTidelock, { url: service.url.origin, status });
}

function send(
  { url: base, token, ca }: Service,
  { method, path, body, signal }: HttpRequest,
): Promise<{ readonly status: number; readonly text: string }> {
  const url = new URL(path, base);
  const sent = body === undefined ? null : Buffer.from(JSON.stringify(body));
  const headers = {
    accept: 'application/json',
    ...(token !== '' && { authorization: `Bearer ${token}` }),
    ...(sent !== null && { 'content-type': 'application/json', 'content-length': sent.length }),
  };
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(unreachable(url, error));
    const options = { method, headers, timeout: silenceMs, ...(signal && { signal }), ...(ca !== null && { ca }) };
    const request = (url.protocol === 'https:' ? requestSecure : requestPlain)(url, options, (response) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      response.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > mostBytes) request.destroy(new Error('the answer is too large'));
        else pieces.push(piece);
      });
      response.on('error', failed);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
      );
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${silenceMs / 1000} s`)));
    request.on('error', failed);
    request.end(sent ?? undefined);
  });
}

const untrusted = /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|ERR_TLS_CERT|ERR_SSL)/;

function unreachable({ origin, protocol }: URL, error: NodeJS.ErrnoException): TidelockError {
  const { code = '', message } = error;
  // Of several addresses that a name has, each with its own.
  const [first] = (error as AggregateError).errors ?? [];
  const what = message || (first as Error | undefined)?.message || code;
  const why = untrusted.test(code)
    ? `${origin}: its certificate is not trusted (${code}: ${what})`
    : protocol === 'http:' && code === 'ECONNRESET'
      ? `${origin}: the connection was closed; where the service has a certificate its address begins with https://`
      : protocol === 'https:' && code === 'EPROTO'
        ? `${origin}: what is there does not speak TLS; where the service has no certificate its address begins with http://`
        : `${origin}: ${what}`;
  return fail(serviceErrors.noApi, { why }, error);
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** Null where it is no error of Tidelock's. */
function thrownThere(answer: unknown): TidelockError | null {
  const { error } = (answer ?? {}) as { readonly error?: Partial<Record<'code' | 'message' | 'remedy', unknown>> };
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return null;
  const { code, message, remedy } = error;
  // A newer service may have codes that this command does not know.
  const kind = errorCatalogue.find((known) => known.code === code) ?? { ...serviceErrors.failed, code };
  const text = { message, remedy: typeof remedy === 'string' ? remedy : '', place: {} };
  return new TidelockError(kind as unknown as ErrorKind, text);
}
