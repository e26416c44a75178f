import type { Control } from '../control/control.ts';
import type { TidelockError } from '../core/errors/tidelock-error.ts';
import { AddressLimits, type Allowance } from './address-limits.ts';

/** Of the whole service, whoever asks: an entry a minute, so that nobody can fill a database without a token. */
const usual: Allowance = { burst: 20, perSecond: 1 / 60 };

export interface Refusal {
  /** operationId. */
  readonly action: string;
  readonly route: string | null;
  /** Name of the token; null: of none that is known. */
  readonly token: string | null;
  readonly address: string;
  readonly error: TidelockError;
}

/** What was refused for want of a token or a role, in the operators' journal; what is too much for it is counted in the next entry. */
export class RefusalJournal {
  readonly #control: Control;
  readonly #limits: AddressLimits;
  #leftOut = 0;

  constructor(control: Control, allowance: Allowance = usual) {
    this.#control = control;
    this.#limits = new AddressLimits(allowance);
  }

  note({ action, route, token, address, error: { code, message } }: Refusal): void {
    if (this.#limits.take('all', performance.now()) !== null) {
      this.#leftOut++;
      return;
    }
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    const details = { address, ...(leftOut > 0 && { leftOut }) };
    this.#control
      .refused(route, { action, by: token ?? 'nobody', via: 'api', reason: null, details, code, message })
      .catch(() => {});
  }
}
