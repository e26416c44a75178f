import type pg from 'pg';
import type { NodeDefinition } from '../../../src/core/route.ts';
import { classifyPostgresError, sqlState } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';
import { SharedTurns } from './shared-turns.ts';
import { readStateVersion, readVersionThere } from './state-schema.ts';

/** With a renewal every 3 s, what is left of a lease of 10 s. */
const answerMs = 6_500;

const settings = { lock_timeout: '3s', synchronous_commit: 'local' };

interface StateSessionOptions {
  readonly node: string;
  /** Shown in pg_stat_activity while no lease is held. */
  readonly idleName: string;
  /** Of those who only read, kept for long: a route may be dropped and begun anew meanwhile. */
  readonly isShared: boolean;
}

/** One connection for what is stored about routes, on which nothing waits long for a lock: a renewal has to come through in time. */
export class StateSession {
  readonly client: pg.Client;
  readonly node: string;
  readonly isShared: boolean;
  readonly #idleName: string;
  /** A renewal must not slip into a transaction of another call. */
  readonly #turns = new SharedTurns();
  #isNamed = false;
  #isThere = false;
  /** Of the state schema, when it was asked for last. */
  #versionBefore: number | null = null;

  constructor(client: pg.Client, { node, idleName, isShared }: StateSessionOptions) {
    this.client = client;
    this.node = node;
    this.isShared = isShared;
    this.#idleName = idleName;
  }

  /** Of a transaction of several statements: nothing else is asked meanwhile. */
  run<T>(run: () => Promise<T>, deadlineMs = answerMs): Promise<T> {
    return this.#classified(this.#turns.alone(() => this.#timed(run, deadlineMs)));
  }

  /** Of what is not a transaction of several statements: others may ask at the same time. */
  ask<T>(run: () => Promise<T>): Promise<T> {
    return this.#classified(this.#turns.together(() => this.#timed(run, answerMs)));
  }

  /** A call that the target does not answer in time ends the connection: it may be of no more use, and a lease expires. */
  async #timed<T>(run: () => Promise<T>, deadlineMs: number): Promise<T> {
    const timer = setTimeout(() => this.client.connection.stream.destroy(), deadlineMs);
    try {
      return await run();
    } finally {
      clearTimeout(timer);
    }
  }

  #classified<T>(result: Promise<T>): Promise<T> {
    return result.catch((error: unknown) => {
      throw classifyPostgresError(error, this.node);
    });
  }

  /** Of the state schema; null where there is none. */
  stateVersion(): Promise<number | null> {
    return readStateVersion(this.client, this.node);
  }

  /** Asks with the version of before, and again where that is another by now. Null where there is no schema. */
  async asOfVersion<T>(ask: (version: number) => Promise<T>): Promise<T | null> {
    const before = this.#versionBefore;
    const asked = before === null ? null : ask(before);
    // It counts only where the version is right.
    asked?.catch(() => {});
    const version = await this.#version();
    this.#versionBefore = version;
    if (version === null) return null;
    return asked !== null && version === before ? await asked : await ask(version);
  }

  /** Whether there is a schema is asked once: a start reads the state several times, and the target may be far away. */
  async #version(): Promise<number | null> {
    if (!this.#isThere) {
      const version = await this.stateVersion();
      this.#isThere = version !== null;
      return version;
    }
    try {
      return await readVersionThere(this.client, this.node);
    } catch (error) {
      if (!isStateGone(error)) throw error;
      // The last route was dropped, and the schema with it.
      this.#isThere = false;
      return null;
    }
  }

  /** Under this name whoever takes the route over finds the session and ends it; only a holder of the lease has it. */
  async takeName(name: string): Promise<void> {
    if (this.#isNamed) return;
    await this.#setName(name);
    this.#isNamed = true;
  }

  async leaveName(): Promise<void> {
    if (!this.#isNamed) return;
    await this.#setName(this.#idleName);
    this.#isNamed = false;
  }

  async #setName(name: string): Promise<void> {
    await this.client.query(`select set_config('application_name', $1, false)`, [name]);
  }

  async close(): Promise<void> {
    // A graceful end would wait for a statement that may hang.
    const { stream } = this.client.connection;
    const timeout = setTimeout(() => stream.destroy(), 1000);
    await this.client.end().catch(() => {});
    clearTimeout(timeout);
    stream.destroy();
  }
}

export async function openStateSession(
  node: NodeDefinition,
  { isShared, idleName }: Omit<StateSessionOptions, 'node'>,
): Promise<StateSession> {
  const client = await connectPostgres(node, { applicationName: idleName, settings, pipeline: true });
  return new StateSession(client, { node: node.name, idleName, isShared });
}

/** The schema, or a table of it, is not there. */
export function isStateGone(error: unknown): boolean {
  return /^(42P01|3F000)$/.test(sqlState(error) ?? '');
}
