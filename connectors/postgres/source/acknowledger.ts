import { failpoint } from '../../../src/core/failpoint.ts';
import type { Lsn } from '../lsn.ts';

export interface AcknowledgerOptions {
  /** The slot's position when the session began: what may be repeated before anything new is durable. */
  readonly confirmed: Lsn;
  /** 0 where the server has it switched off. */
  readonly walSenderTimeoutMs: number;
  send(lsn: Lsn, askForReply: boolean): void;
  silentMs(): number;
  /** The session beside the stream gets no answer either. */
  isOutOfReach(): boolean;
  /** The server has not answered for so long that the connection must be gone. */
  onSilence(): void;
}

const goneMs = 15_000;
const busyMs = 120_000;

/**
 * Tells the server what is durable, and repeats it before the server's patience ends, also while nothing is read. What
 * is reported is the end of the last durable commit record: one byte less leaves a synchronous COMMIT and a shutdown of
 * the server waiting, one more makes it skip an adjacent transaction after a restart.
 */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  readonly #timer: NodeJS.Timeout;
  #durable: Lsn;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
    this.#durable = options.confirmed;
    const { walSenderTimeoutMs, silentMs, isOutOfReach } = options;
    const wanted = walSenderTimeoutMs === 0 ? 10_000 : walSenderTimeoutMs / 3;
    const intervalMs = Math.max(1_000, Math.min(5_000, wanted));
    this.#timer = setInterval(() => {
      // A walsender may be busy with a large transaction for long; a network that is gone shows at both sessions.
      if (silentMs() > (isOutOfReach() ? goneMs : Math.max(busyMs, walSenderTimeoutMs))) options.onSilence();
      else options.send(this.#durable, silentMs() > intervalMs);
    }, intervalMs);
  }

  get durable(): Lsn {
    return this.#durable;
  }

  /** Never goes back. */
  acknowledge(durable: Lsn): void {
    if (durable <= this.#durable) return;
    this.#durable = durable;
    this.#options.send(durable, false);
    failpoint('ack.sent');
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
