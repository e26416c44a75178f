import type { Delivery } from './delivery.ts';
import type { Notice } from './notice.ts';

const timeoutMs = 10_000;

/**
 * Posts a notice as JSON. The receiver's certificate is verified, as Node does where nobody switches it off. It is not
 * followed to another address, which nobody has configured. The address is a secret: many hold a token.
 */
export async function postWebhook(address: string, notice: Notice, signal: AbortSignal): Promise<Delivery> {
  const url = new URL(address);
  const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'tidelock' };
  if (url.username !== '' || url.password !== '') {
    const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(user).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(notice),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    if (response.ok) return { ok: true };
    // What the receiver refuses it refuses again, unless that it has too much to do.
    const again = response.status >= 500 || response.status === 408 || response.status === 429;
    return { ok: false, again, why: `HTTP ${response.status}` };
  } catch (error) {
    return { ok: false, again: true, why: codeOf(error) };
  }
}

/** Messages of errors may hold the address. */
function codeOf(error: unknown): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : name;
}
