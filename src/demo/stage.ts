import type pg from 'pg';
import { type DemoConfiguration, writeConfiguration } from './demo-configuration.ts';
import { embeddedBinaries } from './embedded-binaries.ts';
import { EmbeddedServer } from './embedded-server.ts';
import { createSource } from './schema.ts';
import { WorkDirectory } from './work-directory.ts';

/** Two servers, of which the target is empty, and a configuration file: everything but the engine. */
export class Stage {
  readonly work: WorkDirectory;
  readonly source: EmbeddedServer;
  readonly target: EmbeddedServer;
  readonly configuration: DemoConfiguration;
  readonly #clients: pg.Client[] = [];

  private constructor(work: WorkDirectory, servers: readonly [EmbeddedServer, EmbeddedServer]) {
    this.work = work;
    [this.source, this.target] = servers;
    this.configuration = writeConfiguration(work.path, { source: this.source.url, target: this.target.url });
  }

  static async set(): Promise<Stage> {
    const work = new WorkDirectory();
    const servers: Promise<EmbeddedServer>[] = [];
    try {
      const binaries = await embeddedBinaries(work.path);
      const start = (name: string, settings: Record<string, string>): Promise<EmbeddedServer> =>
        EmbeddedServer.start({ name, database: 'demo', binaries, work, settings });
      servers.push(start('source', { wal_level: 'logical' }), start('target', {}));
      const stage = new Stage(work, (await Promise.all(servers)) as [EmbeddedServer, EmbeddedServer]);
      await createSource(await stage.client('source'));
      return stage;
    } catch (error) {
      for (const result of await Promise.allSettled(servers))
        if (result.status === 'fulfilled') await result.value.stop();
      work.remove();
      throw error;
    }
  }

  /** A connection that is closed with the stage. */
  async client(side: 'source' | 'target'): Promise<pg.Client> {
    const client = await this[side].client();
    this.#clients.push(client);
    return client;
  }

  async clients(side: 'source' | 'target', count: number): Promise<pg.Client[]> {
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
