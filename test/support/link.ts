import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

type Mode = 'open' | 'refusing' | 'silent';

/** A TCP link on the loopback address that can be cut, or swallow everything, as networks do. */
export class Link implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: Mode = 'open';
  #silentAt: string | null = null;
  /** Connections that have ever been asked for. */
  made = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<Link> {
    const server = createServer({ allowHalfOpen: false });
    const link = new Link(server);
    server.on('connection', (near) => link.#connect(near, port));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  #connect(near: Socket, port: number): void {
    near.on('error', () => {});
    this.made++;
    if (this.#mode === 'refusing') {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: '127.0.0.1', port });
    far.on('error', () => {});
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (data) => {
        if (this.#silentAt !== null && from === near && (data as Buffer).includes(this.#silentAt)) {
          this.#silentAt = null;
          this.#mode = 'silent';
        }
        if (this.#mode === 'silent') return;
        if (!to.write(data)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.once('close', () => {
        this.#pairs.delete(pair);
        if (this.#mode !== 'silent') to.destroy();
      });
    };
    pass(near, far);
    pass(far, near);
  }

  /** Resets what is connected, and every new connection. */
  cut(): void {
    this.#mode = 'refusing';
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Accepts everything and passes nothing on; nobody is told. */
  silence(): void {
    this.#mode = 'silent';
  }

  /** Silent from the next message on that the near side sends with this text in it. */
  silenceAt(text: string): void {
    this.#silentAt = text;
  }

  get isSilent(): boolean {
    return this.#mode === 'silent';
  }

  /** Connections that were silenced have lost bytes and are reset. */
  open(): void {
    if (this.#mode === 'silent') this.cut();
    this.#mode = 'open';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
