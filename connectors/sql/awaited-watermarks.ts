interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

/** Those who wait until the stream has come to their watermarks. */
export class AwaitedWatermarks {
  readonly #waiting = new Map<string, Waiting>();
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  /** The stream has come to it. */
  come(id: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.resolve();
  }

  /** To be asked before the watermark is written. */
  expect(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#reject(id, signal.reason);
      if (signal.aborted) return reject(signal.reason);
      if (this.#ended) return reject(streamEnded());
      signal.addEventListener('abort', onAbort, { once: true });
      const over = (): void => signal.removeEventListener('abort', onAbort);
      this.#waiting.set(id, {
        resolve: () => {
          over();
          resolve();
        },
        reject: (error) => {
          over();
          reject(error);
        },
      });
    });
  }

  /** No watermark comes any more. */
  end(): void {
    this.#ended = true;
    for (const id of [...this.#waiting.keys()]) this.#reject(id, streamEnded());
  }

  #reject(id: string, error: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.reject(error);
  }
}

export function streamEnded(): Error {
  // Classified as a lost connection: whoever reads begins again beside the next stream.
  return Object.assign(new Error('the stream has ended'), { code: 'ECONNRESET' });
}
