import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiSettings } from '../config/configuration.ts';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import type { Role } from './role.ts';

/** Who asks. */
export interface Caller {
  /** Name of the token. */
  readonly name: string;
  readonly role: Role;
}

/** Tokens are resolved again after so long: one that was rotated counts then. */
const keptMs = 2_000;

/** Where the service has no token, whoever reaches it is this. */
const nobody: Caller = { name: 'local', role: 'admin' };

/** Shorter ones can be guessed, whatever the limits. */
const longEnough = 16;

interface Known extends Caller {
  readonly digest: Buffer;
}

/**
 * Tells whose token it is. Digests of one length are compared in constant time, all of them each time, so that the time
 * tells nothing of the tokens. Whether tokens are wanted at all is decided once: a file that is empty for a moment
 * while a secret is rotated opens nothing.
 */
export class TokenCheck {
  readonly #tokens: ApiSettings['tokens'];
  readonly #logger: Logger;
  readonly #isOpen: boolean;
  #known: readonly Known[] = [];
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** Throws where the tokens can't be resolved. */
  constructor(tokens: ApiSettings['tokens'], logger: Logger) {
    this.#tokens = tokens;
    this.#logger = logger;
    this.#known = this.#read();
    this.#isOpen = this.#known.length === 0;
    for (const { name, token } of tokens())
      if (token.length < longEnough) logger.warn({ token: name, longEnough }, 'the token is short: it can be guessed');
  }

  /** No token is wanted. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Null where it is nobody's. Throws (retry) where the tokens can't be resolved now. */
  callerOf(authorization: string | undefined): Caller | null {
    if (this.#isOpen) return nobody;
    this.#refresh();
    const sent = digestOf(/^Bearer ([\x21-\x7e]{1,4096})$/i.exec(authorization ?? '')?.[1] ?? '');
    let caller: Caller | null = null;
    for (const { digest, name, role } of this.#known) if (timingSafeEqual(digest, sent)) caller = { name, role };
    return caller;
  }

  #refresh(): void {
    const nowMs = performance.now();
    if (nowMs - this.#readAtMs < keptMs) return;
    try {
      this.#known = this.#read();
    } catch (error) {
      this.#logger.error({ err: error }, 'the tokens of the API cannot be resolved');
      throw fail(serviceErrors.notReady, { why: 'its tokens cannot be resolved' });
    }
  }

  #read(): Known[] {
    const known = this.#tokens()
      // Nothing was sent is no token.
      .filter(({ token }) => token !== '')
      .map(({ name, role, token }) => ({ name, role, digest: digestOf(token) }));
    this.#readAtMs = performance.now();
    return known;
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
