import type { DemoConfiguration } from './demo-configuration.ts';
import type { DemoSession } from './scenario.ts';
import type { WorkDirectory } from './work-directory.ts';

/** A server of the demo, in a process of its own. */
export interface DemoServer<S extends DemoSession = DemoSession> {
  readonly url: string;
  readonly port: number;
  readonly pid: number | undefined;
  /** A connection of its own. */
  client(): Promise<S>;
  /** For --keep: this process may end and the server goes on. */
  release(): void;
  stop(): Promise<void>;
}

export interface StageOptions<A extends DemoSession, B extends DemoSession> {
  readonly work: WorkDirectory;
  /** Each is started by a call; the second target is empty. */
  readonly servers: readonly [Promise<DemoServer<A>>, Promise<DemoServer<B>>];
  configure(urls: { readonly source: string; readonly target: string }): DemoConfiguration;
  /** Makes what the source holds. */
  fill(source: A): Promise<void>;
}

/** Two servers, of which the target is empty, and a configuration file: everything but the engine. */
export class Stage<A extends DemoSession = DemoSession, B extends DemoSession = DemoSession> {
  readonly work: WorkDirectory;
  readonly source: DemoServer<A>;
  readonly target: DemoServer<B>;
  readonly configuration: DemoConfiguration;
  readonly #clients: DemoSession[] = [];

  private constructor({ work, configure }: StageOptions<A, B>, source: DemoServer<A>, target: DemoServer<B>) {
    this.work = work;
    this.source = source;
    this.target = target;
    this.configuration = configure({ source: source.url, target: target.url });
  }

  static async set<A extends DemoSession, B extends DemoSession>(options: StageOptions<A, B>): Promise<Stage<A, B>> {
    const { work, servers, fill } = options;
    try {
      const stage = new Stage(options, ...(await Promise.all(servers)));
      await fill(await stage.client('source'));
      return stage;
    } catch (error) {
      for (const result of await Promise.allSettled(servers))
        if (result.status === 'fulfilled') await result.value.stop();
      work.remove();
      throw error;
    }
  }

  /** A connection that is closed with the stage. */
  async client<K extends 'source' | 'target'>(side: K): Promise<K extends 'source' ? A : B> {
    const client = await this[side].client();
    this.#clients.push(client);
    return client as K extends 'source' ? A : B;
  }

  clients(side: 'source' | 'target', count: number): Promise<DemoSession[]> {
    return Promise.all(Array.from({ length: count }, () => this.client(side)));
  }

  /** Stops both servers and removes every file; with `keep` both stay as they are. */
  async strike(keep: boolean): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})));
    if (keep) {
      this.source.release();
      this.target.release();
      this.work.keep();
      return;
    }
    await Promise.all([this.source.stop(), this.target.stop()]);
    this.work.remove();
  }
}
