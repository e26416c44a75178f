import type pg from 'pg';

/** Single statements that leave nothing behind in their session. */
const leavesNothing = /^\s*(select|table|values|with|insert|update|delete)\b[^;]*$/i;

/** What looks at sessions, or changes the one that it runs in. */
const ofSessions =
  /\b(set_config|pg_backend_pid|pg_\w*advisory\w*|pg_stat_\w+|pg_terminate_backend|pg_prepared_\w+)\b/i;

/** How long a session rests before it ends. */
const restMs = 1_000;

/**
 * A session that is used again by what a test asks next. A session of its own costs the server a process, some 5 ms of CPU,
 * and what is waited for is asked for ten times and more a second.
 */
export class KeptSession {
  readonly #connect: () => Promise<pg.Client>;
  #resting: { readonly client: pg.Client; readonly timer: NodeJS.Timeout } | null = null;

  constructor(connect: () => Promise<pg.Client>) {
    this.#connect = connect;
  }

  async query(sql: string, params?: unknown[]): Promise<Record<string, unknown>[]> {
    const keeps = leavesNothing.test(sql) && !ofSessions.test(sql);
    // What changes what sessions begin with, or wants the database for itself, finds none.
    if (!keeps) await this.#end();
    const client = this.#take() ?? (await this.#open());
    try {
      const { rows } = await client.query(sql, params);
      if (keeps) this.#rest(client);
      else await client.end();
      return rows as Record<string, unknown>[];
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }

  #take(): pg.Client | null {
    if (this.#resting === null) return null;
    const { client, timer } = this.#resting;
    clearTimeout(timer);
    this.#resting = null;
    return client;
  }

  async #open(): Promise<pg.Client> {
    const client = await this.#connect();
    const forget = (): void => {
      if (this.#resting?.client === client) this.#take();
    };
    // The server may end it, or be killed.
    return client.once('error', forget).once('end', forget);
  }

  #rest(client: pg.Client): void {
    // Of several at once one is enough.
    if (this.#resting !== null) void client.end().catch(() => {});
    else this.#resting = { client, timer: setTimeout(() => void this.#end(), restMs).unref() };
  }

  async #end(): Promise<void> {
    await this.#take()
      ?.end()
      .catch(() => {});
  }
}
