import type { ApplyConnection } from '../apply-connection.ts';
import { boundStatements, mostStatements } from '../bound-statements.ts';
import { cancelAndDestroy } from '../cancel-and-destroy.ts';

const endMs = 1_000;

/** A session that carries out groups one behind the other. */
export class Lane {
  readonly connection: ApplyConnection;
  /** Something on it has failed; resolves when that was rolled back. Null: nothing has. */
  clearing: Promise<void> | null = null;
  /** What was sent last has not left whole: nothing can go behind it yet. */
  isHalfSent = false;
  /** Of the plans that its prepared statements were made from. */
  generation = 0;

  constructor(connection: ApplyConnection) {
    this.connection = connection;
  }
}

/**
 * The sessions of one route. The first is the Consumer's own; all have the same name at the server, so that whoever takes the route over ends
 * all of them.
 */
export class Lanes {
  readonly main: Lane;
  #all: readonly Lane[];

  constructor(connection: ApplyConnection) {
    this.main = new Lane(connection);
    this.#all = [this.main];
  }

  get all(): readonly Lane[] {
    return this.#all;
  }

  get areSeveral(): boolean {
    return this.#all.length > 1;
  }

  /** Opens `count` sessions beside the first. Throws where one of them could not be opened. */
  async open(count: number, open: () => Promise<ApplyConnection>): Promise<void> {
    const opened = await Promise.allSettled(Array.from({ length: count }, open));
    const connections = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = opened.find((one) => one.status === 'rejected');
    this.#all = [this.main, ...connections.map((connection) => new Lane(connection))];
    if (failed !== undefined) throw failed.reason;
  }

  /** While nothing is under way. `generation`: of the plans. */
  async bound(generation: number): Promise<void> {
    for (const lane of this.#all) {
      // What was prepared before tables were altered is of no use.
      const isStale = lane !== this.main && lane.generation !== generation;
      lane.generation = generation;
      await boundStatements(lane.connection.client, isStale ? 0 : mostStatements);
    }
  }

  /** Those beside the first: what is not answered is cancelled. */
  abort(): void {
    for (const { connection } of this.#all.slice(1)) cancelAndDestroy(connection.client);
  }

  /** The first of them has gone: the server may go on with it for as long as it does not notice, and the others would wait for that. */
  lost(): void {
    for (const { connection } of this.#all) cancelAndDestroy(connection.client);
  }

  /** Those beside the first. */
  async close(): Promise<void> {
    await Promise.all(
      this.#all.slice(1).map(async ({ connection: { client } }) => {
        await Promise.race([client.end(), new Promise((resolve) => setTimeout(resolve, endMs).unref())]).catch(
          () => {},
        );
        client.connection.stream.destroy();
      }),
    );
  }
}
