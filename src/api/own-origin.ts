import type { IncomingHttpHeaders } from 'node:http';

export interface OriginRule {
  /** No token is wanted: then a name that somebody else resolves to this host must not reach it either. */
  readonly onlyLoopback: boolean;
  readonly secure: boolean;
}

/**
 * True where a request may be from our own page, or from no page at all. Browsers tell where a request is from; other
 * programs tell nothing, and can't be made to send one by a page.
 */
export function isOwnOrigin(headers: IncomingHttpHeaders, { onlyLoopback, secure }: OriginRule): boolean {
  const { host = '', origin } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  if (origin !== undefined && origin !== `${secure ? 'https' : 'http'}://${host}`) return false;
  return !onlyLoopback || isLoopbackHost(host);
}

function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}
