import type pg from 'pg';
import type { NodeDefinition, RouteDefinition } from '../../../src/core/route.ts';
import type { QueueWatch, SourceStatus } from '../../../src/core/source.ts';
import { classifyPostgresError } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';
import type { Lsn } from '../lsn.ts';
import { queueNames } from './queue-names.ts';
import { readWritten, sourceStatus } from './read-status.ts';
import { answeredInTime } from './sessions.ts';
import { readSlots, type Slot } from './slot.ts';

interface Look {
  readonly slots: ReadonlyMap<string, Slot>;
  readonly written: Lsn;
}

/** All slots of a server are one query, on one session, however many routes read from it and whoever asks for them. */
export function postgresQueueWatch(node: NodeDefinition, options: { readonly everyMs: number }): QueueWatch {
  return new PostgresQueueWatch(node, options.everyMs);
}

class PostgresQueueWatch implements QueueWatch {
  readonly #node: NodeDefinition;
  readonly #everyMs: number;
  #client: pg.Client | null = null;
  #last: { readonly atMs: number; readonly look: Promise<Look> } | null = null;
  #isClosed = false;

  constructor(node: NodeDefinition, everyMs: number) {
    this.#node = node;
    this.#everyMs = everyMs;
  }

  async status(route: RouteDefinition, { now } = { now: false }): Promise<SourceStatus> {
    const { slots, written } = await this.#current(now ? 0 : this.#everyMs);
    return sourceStatus(slots.get(queueNames(route).slot) ?? null, written);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last?.look.catch(() => {});
    await this.#forget();
  }

  #current(ageMs: number): Promise<Look> {
    const nowMs = performance.now();
    if (this.#last !== null && nowMs - this.#last.atMs < ageMs) return this.#last.look;
    // One look after the other: they share the session.
    const before = this.#last?.look.catch(() => {}) ?? Promise.resolve();
    const asked = { atMs: nowMs, look: before.then(() => this.#ask()) };
    this.#last = asked;
    // A source that could not be asked is asked again at once.
    asked.look.catch(() => {
      if (this.#last === asked) this.#last = null;
    });
    return asked.look;
  }

  async #ask(): Promise<Look> {
    const isKept = this.#client !== null;
    try {
      return await this.#look();
    } catch (error) {
      await this.#forget();
      // The server may have ended a session that was kept: that says nothing about a new one.
      if (!isKept) throw classifyPostgresError(error, this.#node.name);
    }
    try {
      return await this.#look();
    } catch (error) {
      await this.#forget();
      throw classifyPostgresError(error, this.#node.name);
    }
  }

  async #look(): Promise<Look> {
    const options = { applicationName: 'tidelock: queues', settings: { synchronous_commit: 'local' } };
    const client = this.#client ?? (await connectPostgres(this.#node, options));
    this.#client = client;
    const look = async (): Promise<Look> => ({ slots: await readSlots(client), written: await readWritten(client) });
    const found = await answeredInTime(client, this.#node, look);
    if (this.#isClosed) await this.#forget();
    return found;
  }

  async #forget(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }
}
