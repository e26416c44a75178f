import type { FastifyRequest } from 'fastify';
import type { ApiSettings } from '../config/configuration.ts';
import type { Control } from '../control/control.ts';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import { AddressLimits, type Allowance } from './address-limits.ts';
import { isOwnOrigin } from './own-origin.ts';
import { RefusalJournal } from './refusal-journal.ts';
import { mayDo, type Role } from './role.ts';
import { type Caller, TokenCheck } from './token-check.ts';

/** Of each address. */
export interface ApiLimits {
  readonly requests: Allowance;
  readonly refusals: Allowance;
  readonly journal?: Allowance;
}

export interface AdmissionOptions {
  readonly settings: ApiSettings;
  readonly control: Control;
  readonly logger: Logger;
  readonly limits: ApiLimits;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** operationId of what changes something. */
    action?: string;
    /** The least one that may. */
    role?: Role;
    /** For whoever asks: it has no data. */
    isOpen?: true;
  }
}

/**
 * Who may ask for what. The way of a request, each step before the next one costs anything: the address' allowance, its allowance of wrong
 * tokens, where it comes from, the token, the role. What is refused for want of the last two is in the operators' journal.
 */
export class Admission {
  readonly #settings: ApiSettings;
  readonly #tokens: TokenCheck;
  readonly #journal: RefusalJournal;
  readonly #requests: AddressLimits;
  readonly #refusals: AddressLimits;

  /** Throws where the tokens can't be resolved. */
  constructor({ settings, control, logger, limits }: AdmissionOptions) {
    this.#settings = settings;
    this.#tokens = new TokenCheck(() => settings.tokens(), logger);
    this.#journal = new RefusalJournal(control, limits.journal);
    this.#requests = new AddressLimits(limits.requests);
    this.#refusals = new AddressLimits(limits.refusals);
  }

  /** Throws where the address has asked too much, does not say who asks, or may not ask for this. */
  admit(request: FastifyRequest): void {
    // By what answers, not by how the path is written: /%76%31/status is the same one, and so is http://host/v1/status.
    const isOpen = request.is404 ? !isOfApi(request.url) : request.routeOptions.config.isOpen === true;
    if (isOpen) return;
    const address = request.ip;
    const nowMs = performance.now();
    const seconds = this.#requests.take(address, nowMs) ?? this.#refusals.wait(address, nowMs);
    if (seconds !== null) throw fail(serviceErrors.tooMany, { seconds });
    if (this.#tokens.isOpen) {
      const onlyLoopback = isLoopback(this.#settings.listen.host);
      const rule = { onlyLoopback, secure: request.protocol === 'https' };
      if (!isOwnOrigin(request.headers, rule)) throw fail(serviceErrors.otherOrigin, {});
    }
    request.caller = this.#tokens.callerOf(request.headers.authorization);
    if (request.caller === null) this.#refusals.take(address, nowMs);
    this.demand(request, request.routeOptions.config.role ?? 'viewer');
  }

  /** Throws where whoever asks is nobody, or has a lesser role. */
  demand(request: FastifyRequest, needed: Role): Caller {
    const { caller } = request;
    if (caller !== null && mayDo(caller.role, needed)) return caller;
    const error =
      caller === null ? fail(serviceErrors.unauthorised, {}) : fail(serviceErrors.forbidden, { ...caller, needed });
    const { action } = request.routeOptions.config;
    const { route = null } = (request.params ?? {}) as { readonly route?: string };
    if (action !== undefined)
      this.#journal.note({ action, route, token: caller?.name ?? null, address: request.ip, error });
    throw error;
  }

  /** Of a request that was taken before. False where the tokens can't be resolved now: that takes nobody's away. */
  isRefused({ headers }: FastifyRequest): boolean {
    try {
      return this.#tokens.callerOf(headers.authorization) === null;
    } catch {
      return false;
    }
  }
}

function isOfApi(url: string): boolean {
  return /^\/v1([/?]|$)/.test(url);
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);
}
