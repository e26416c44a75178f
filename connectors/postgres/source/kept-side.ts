import type pg from 'pg';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { answeredInTime, connectSide } from './sessions.ts';

/** What a start asks comes one after the other. */
const keepMs = 2_000;

/**
 * A session for what is only looked at, one look after the other. It is kept for a moment after its use: to begin a session and to read the catalogue
 * into it takes the server longer than to answer. Whoever changes something, or must not be asked twice, takes a session of its own
 * (`withSide`).
 */
export class KeptSide {
  readonly #route: RouteDefinition;
  #kept: { readonly client: pg.Client; readonly timer: NodeJS.Timeout } | null = null;
  #closed = false;
  /** Of the last look: the next one begins behind it, since what it has asked is prepared and in the session's memory. */
  #over: Promise<void> = Promise.resolve();

  constructor(route: RouteDefinition) {
    this.#route = route;
  }

  use<T>(run: (client: pg.Client) => Promise<T>): Promise<T> {
    const used = this.#over.then(() => this.#use(run));
    this.#over = used.then(
      () => {},
      () => {},
    );
    return used;
  }

  async #use<T>(run: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = this.#take() ?? (await connectSide(this.#route.from, this.#route, 'check'));
    try {
      const result = await answeredInTime(client, this.#route.from, () => run(client));
      this.#keep(client);
      return result;
    } catch (error) {
      client.end().catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#take()
      ?.end()
      .catch(() => {});
  }

  /** Null where there is none. */
  #take(): pg.Client | null {
    const kept = this.#kept;
    this.#kept = null;
    if (kept === null) return null;
    clearTimeout(kept.timer);
    return kept.client.connection.stream.destroyed ? null : kept.client;
  }

  #keep(client: pg.Client): void {
    const end = (): void => {
      client.end().catch(() => {});
    };
    if (this.#closed || this.#kept !== null) {
      end();
      return;
    }
    const timer = setTimeout(() => {
      this.#kept = null;
      end();
    }, keepMs);
    this.#kept = { client, timer };
  }
}
