import { type PostgresServer, startPostgres, type TestDatabase } from '../../test/support/postgres.ts';
import { versions } from '../../test/support/postgres-binaries.ts';
import type { Contender, SynchronousCommit } from './contender.ts';

/** Tables are vacuumed between rounds: a minute after a server's start it would begin by itself, in the middle of somebody's lap. */
export const settings = { shared_buffers: '256MB', max_wal_size: '8GB', fsync: 'on', autovacuum: 'off' };

/** What the servers are, for those who read the figures. */
export const servers = { version: versions.join(','), ...settings };

/**
 * What apply sessions wait for. Tidelock has `off` by itself, unless the target names synchronous standbys: then the
 * server's own setting counts. One that waits for no standby is what `on` is where there is none.
 */
const waitsForDisk = { synchronous_standby_names: 'nobody', synchronous_commit: 'local' };

export interface StageOptions {
  /** Schemas in which `tables` are made, everywhere; `public` where none are named. */
  readonly schemas?: readonly string[];
  /** Statements that make tables, in the schema that is current. */
  readonly tables: string;
  /** Fills them at the source, before anybody follows. */
  prepare(source: TestDatabase): Promise<void>;
  readonly synchronousCommit: SynchronousCommit;
  /** Of all servers, beside those of each stage. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Makes a contender for each, which gets a server of its own. In the order in which rows are copied to them. */
  readonly contenders: readonly ((source: TestDatabase, target: TestDatabase, stage: Stage) => Promise<Contender>)[];
}

/** A source and a target for each contender, all on one machine. All have copied what is there. */
export class Stage implements AsyncDisposable {
  readonly contenders: Contender[] = [];
  readonly synchronousCommit: SynchronousCommit;
  #source: TestDatabase | null = null;
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(synchronousCommit: SynchronousCommit) {
    this.synchronousCommit = synchronousCommit;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options.synchronousCommit);
    try {
      await stage.#fill(options);
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
  }

  get source(): TestDatabase {
    if (this.#source === null) throw new TypeError('the stage is not open');
    return this.#source;
  }

  /** Called at the end of the stage, the latest first. */
  onEnd(end: () => Promise<unknown>): void {
    this.#ends.unshift(end);
  }

  async #fill({ schemas = ['public'], tables, prepare, contenders, ...options }: StageOptions): Promise<void> {
    const start = async (more: Readonly<Record<string, string>>): Promise<TestDatabase> => {
      const server: PostgresServer = await startPostgres({ settings: { ...settings, ...options.settings, ...more } });
      this.onEnd(() => server[Symbol.asyncDispose]());
      return await server.createDatabase();
    };
    const targetSettings = options.synchronousCommit === 'on' ? waitsForDisk : {};
    const source = await start({});
    this.#source = source;
    const targets: TestDatabase[] = [];
    for (const _ of contenders) targets.push(await start(targetSettings));
    // Whoever follows has done so when it shows this row of the round.
    const all = `${tables} CREATE TABLE round_end (round int PRIMARY KEY); CREATE TABLE round_rest (id int PRIMARY KEY, looks int);`;
    const made = schemas.map((schema) => `CREATE SCHEMA IF NOT EXISTS ${schema}; SET search_path = ${schema}; ${all}`);
    for (const database of [source, ...targets]) await database.query(made.join('\n'));
    for (const schema of schemas) await source.query(`INSERT INTO ${schema}.round_rest VALUES (1, 0)`);
    await prepare(source);
    for (const database of [source, ...targets]) await database.query('VACUUM ANALYZE');
    for (const [at, make] of contenders.entries()) {
      const target = targets[at];
      if (target !== undefined) this.contenders.push(await make(source, target, this));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end();
  }
}
