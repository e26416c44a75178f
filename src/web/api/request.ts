import { ApiError } from './api-error.ts';

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: object;
  readonly token: string | null;
  readonly signal?: AbortSignal;
  readonly accept?: string;
}

const answerWithinMs = { GET: 30_000, POST: 90_000, DELETE: 90_000 };

/** Below the page's own address, wherever a proxy has put it. Throws ApiError for everything but a success. */
export async function request(path: string, options: RequestOptions): Promise<Response> {
  const { method = 'GET', body, token, signal, accept = 'application/json' } = options;
  const headers: Record<string, string> = { accept };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(new URL(`v1/${path}`, document.baseURI), {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
      // The token is in a header of our own making; cookies and caches have no part in this.
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { message: 'The service does not answer.', remedy: 'Is it running, and is the network up?' });
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** A document. `T` is what the service promises for this path. */
export async function requestDocument<T>(path: string, options: RequestOptions): Promise<T> {
  const withinMs = answerWithinMs[options.method ?? 'GET'];
  const limit = AbortSignal.timeout(withinMs);
  try {
    const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
    const response = await request(path, { ...options, signal });
    const text = await response.text();
    return (text === '' ? null : JSON.parse(text)) as T;
  } catch (error) {
    if (limit.aborted) throw new ApiError(0, { message: `No answer within ${withinMs / 1000} s.` });
    if (error instanceof SyntaxError) throw new ApiError(0, { message: 'The answer is not one of the service.' });
    throw error;
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const fallback = { message: `The service answered ${response.status} ${response.statusText}`.trim() };
  try {
    const { error } = (await response.json()) as { error?: { code?: string; message?: string; remedy?: string } };
    return new ApiError(response.status, error?.message === undefined ? fallback : { ...fallback, ...error });
  } catch {
    return new ApiError(response.status, fallback);
  }
}
