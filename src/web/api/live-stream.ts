import { ApiError } from './api-error.ts';
import { EventStreamParser, type StreamEvent } from './event-stream.ts';
import { request } from './request.ts';

/** Whether what is shown is what is: `since` and `retryAt` in milliseconds since 1970. */
export type Liveness =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'cut'; readonly since: number; readonly why: string; readonly retryAt: number };

export interface LiveStreamOptions {
  readonly token: string | null;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onLiveness: (liveness: Liveness) => void;
  /** The token is not, or no longer, one. The stream has ended for good. */
  readonly onRefused: (error: ApiError) => void;
}

/** The service says something at least every two seconds; a link can be dead without telling. */
const silenceMs = 10_000;
const firstRetryMs = 1000;
const lastRetryMs = 30_000;

/** Reads /v1/events until it is closed; reads on, later and later, when it is cut. */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  readonly #closed = new AbortController();
  #attempt: AbortController | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #failures = 0;
  /** When it was last known to be live. */
  #lastAt = Date.now();

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#options.onLiveness({ kind: 'connecting' });
    void this.#read();
  }

  /** Does not wait for the next try. */
  retryNow(): void {
    if (this.#retry === null) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    void this.#read();
  }

  close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#closed.abort();
  }

  async #read(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    let watchdog: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => attempt.abort(), silenceMs);
    };
    let why = 'the service has closed the connection';
    try {
      heard();
      const signal = AbortSignal.any([attempt.signal, this.#closed.signal]);
      const response = await request('events', { token: this.#options.token, signal, accept: 'text/event-stream' });
      if (response.body === null) throw new ApiError(0, { message: 'The answer has no body.' });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventStreamParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        heard();
        for (const event of parser.push(value)) this.#deliver(event);
      }
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        this.#options.onRefused(error);
        return;
      }
      if (attempt.signal.aborted) why = `nothing was heard for ${silenceMs / 1000} s`;
      else if (error instanceof ApiError) why = error.message;
      else why = 'the connection was lost';
    } finally {
      clearTimeout(watchdog);
    }
    if (!this.#closed.signal.aborted && this.#attempt === attempt) this.#waitForNext(why);
  }

  #deliver(event: StreamEvent): void {
    this.#failures = 0;
    this.#lastAt = Date.now();
    this.#options.onEvent(event);
    this.#options.onLiveness({ kind: 'live' });
  }

  #waitForNext(why: string): void {
    const longest = Math.min(lastRetryMs, firstRetryMs * 2 ** this.#failures);
    // Half of it at random: pages that were cut off together don't come back together.
    const delayMs = longest / 2 + Math.random() * (longest / 2);
    this.#failures++;
    this.#options.onLiveness({ kind: 'cut', since: this.#lastAt, why, retryAt: Date.now() + delayMs });
    this.#retry = setTimeout(() => this.retryNow(), delayMs);
  }
}
