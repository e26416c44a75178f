import { signal } from '@preact/signals';
import { ApiError } from '../api/api-error.ts';
import type { Role, ServiceDocument } from '../api/documents.ts';
import { requestDocument } from '../api/request.ts';

/** Who looks, and at which service; null while nobody is signed in. */
export interface Session {
  readonly service: ServiceDocument;
  /** Null where the service wants none (on loopback, without tokens). */
  readonly token: string | null;
}

/** `checking`: it is not known yet whether a token is wanted. */
export type SessionState =
  | { readonly kind: 'checking' }
  | { readonly kind: 'signedOut'; readonly error: ApiError | null }
  | { readonly kind: 'signedIn'; readonly session: Session };

/** In this tab until it is closed, where the reader wants so; nowhere else, and never in an address. */
const storedAt = 'tidelock.token';

export const sessionState = signal<SessionState>({ kind: 'checking' });

/** With the token of this tab, or with none where the service wants none. */
export async function openSession(): Promise<void> {
  await signIn(sessionStorage.getItem(storedAt), { keep: true, quiet: true });
}

export async function signIn(
  token: string | null,
  { keep, quiet = false }: { readonly keep: boolean; readonly quiet?: boolean },
): Promise<void> {
  try {
    const service = await requestDocument<ServiceDocument>('service', { token });
    if (keep && token !== null) sessionStorage.setItem(storedAt, token);
    sessionState.value = { kind: 'signedIn', session: { service, token } };
  } catch (error) {
    const refused = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
    if (refused.status === 401) sessionStorage.removeItem(storedAt);
    // A first look without a token is no attempt that has failed.
    const told = quiet && refused.status === 401 && token === null ? null : refused;
    sessionState.value = { kind: 'signedOut', error: told };
  }
}

export function signOut(error: ApiError | null = null): void {
  sessionStorage.removeItem(storedAt);
  sessionState.value = { kind: 'signedOut', error };
}

export function currentToken(): string | null {
  return sessionState.value.kind === 'signedIn' ? sessionState.value.session.token : null;
}

export function currentService(): ServiceDocument | null {
  return sessionState.value.kind === 'signedIn' ? sessionState.value.session.service : null;
}

const ranks: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the token is good for this; the service decides in any case. */
export function may(role: Role): boolean {
  const service = currentService();
  return service !== null && (ranks[service.role] ?? 0) >= ranks[role];
}

/** The nodes take longer than the service lets anybody wait, and go on: who asks again joins in. */
const stillAsking = 'TL-1050';
/** Each takes 20 s. */
const longAsks = 15;

interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** A document of the service, with the token of the session. A token that is no longer one ends the session. */
export async function ask<T>(path: string, options: Asking = {}): Promise<T> {
  for (let again = longAsks; ; again--) {
    try {
      return await requestDocument<T>(path, { ...options, token: currentToken() });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) signOut(error);
      const isUnderWay = error instanceof ApiError && error.code === stillAsking;
      if (!isUnderWay || again <= 1 || options.signal?.aborted === true) throw error;
    }
  }
}
