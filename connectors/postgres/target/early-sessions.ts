import type pg from 'pg';
import type { ApplyConnection } from './apply-connection.ts';

/** The session that applies, and the id of its route. */
export interface ApplySession {
  readonly connection: ApplyConnection;
  readonly id: number;
}

interface Openers {
  apply(): Promise<ApplySession>;
  brief(): Promise<pg.Client>;
}

/**
 * Sessions of a start that are opened while something else is asked: a server far away takes several round trips for each.
 * Each is handed over once; where there is none, or it could not be opened, one is opened then.
 */
export class EarlySessions {
  #apply: Promise<ApplySession> | null = null;
  #brief: Promise<pg.Client> | null = null;

  /** What nobody has asked for by the time that the signal aborts is closed. */
  open({ apply, brief }: Openers, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#close();
    this.#apply = apply();
    this.#brief = brief();
    // Whoever comes for it is told; where nobody does it does not matter.
    this.#apply.catch(() => {});
    this.#brief.catch(() => {});
    signal.addEventListener('abort', () => this.#close(), { once: true });
  }

  async apply(open: () => Promise<ApplySession>): Promise<ApplySession> {
    const early = this.#apply;
    this.#apply = null;
    const session = await early?.catch(() => null);
    return session && isLive(session.connection.client) ? session : await open();
  }

  /** Opens a session for something short. */
  brief(open: () => Promise<pg.Client>): () => Promise<pg.Client> {
    const early = this.#brief;
    this.#brief = null;
    return async () => {
      const client = await early?.catch(() => null);
      return client && isLive(client) ? client : await open();
    };
  }

  #close(): void {
    this.#apply?.then(({ connection }) => connection.client.end()).catch(() => {});
    this.#brief?.then((client) => client.end()).catch(() => {});
    this.#apply = null;
    this.#brief = null;
  }
}

/** It may have been ended while it waited. */
function isLive(client: pg.Client): boolean {
  const { stream } = client.connection;
  return !stream.destroyed && stream.readable && stream.writable;
}
