import type { Client, ClientConfig } from 'pg';
// By their own modules: the package's index loads a reader of Protocol Buffers for a plugin that nobody uses here, a tenth of
// what a worker reads to start.
import { LogicalReplicationService } from 'pg-logical-replication/dist/logical-replication-service.js';
import { AbstractPlugin } from 'pg-logical-replication/dist/output-plugins/abstract.plugin.js';
import type { ByteBudget } from '../../../src/core/byte-budget.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { WorkMeter } from '../../../src/core/work-meter.ts';
import { classifyPostgresError, sqlState } from '../classify-error.ts';
import { clientConfig, standby, watchStandby } from '../connect.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { formatLsn, type Lsn, parseLsn } from '../lsn.ts';
import { type QueueNames, queueNames } from './queue-names.ts';
import { ReplicationConnection, type RowReceiver } from './replication-connection.ts';
import { applicationName, type Queryable } from './sessions.ts';

export interface ReplicationStreamOptions {
  readonly route: RouteDefinition;
  readonly budget: ByteBudget;
  readonly meter: WorkMeter;
  /** Runs on the session before it streams, and says where to start; `isEarly`: large transactions are wanted before they have ended. */
  prepare(client: Queryable): Promise<{ readonly from: Lsn; readonly isEarly: boolean }>;
  /** One message of pgoutput, which lies in `bytes` from `start` to `end`; they are never written to again. */
  onMessage(bytes: Buffer, start: number, end: number): void;
  /** The beginning of a large one, which is only received where this gives true. */
  onLargeMessage(bytes: Buffer, start: number, end: number): boolean;
  /** The server has sent everything up to `lsn`; with `replyRequested` it waits for an answer. */
  onKeepalive(lsn: Lsn, atMs: number, replyRequested: boolean): void;
  /** The session has ended by itself. Called once, and not after close(). */
  onEnd(error: unknown): void;
}

/**
 * One walsender session. The library opens it, tells of keepalives and sends what is confirmed; it acknowledges nothing by
 * itself (its timer would confirm what has merely arrived), and rows go past it (replication-connection.ts).
 */
export class ReplicationStream {
  readonly #options: ReplicationStreamOptions;
  readonly #names: QueueNames;
  readonly #stopListening: () => void;
  #service: LogicalReplicationService | null = null;
  #client: Client | null = null;
  #closed = false;
  /** Something is read again in a moment. */
  #gathering = false;
  /** Nothing is read any more; what is durable may still be told. */
  #resting = false;
  /** Told while it rests, and not yet known to have been read. */
  #told: Lsn | null = null;
  #onReply: (() => void) | null = null;
  #heardAt = performance.now();

  constructor(options: ReplicationStreamOptions) {
    this.#options = options;
    this.#names = queueNames(options.route);
    this.#stopListening = options.budget.onChange((paused) => this.#setPaused(paused));
  }

  /** Resolves when the server streams; throws what prepare() throws, or a classified error. */
  async open(): Promise<void> {
    const { route } = this.#options;
    const settings = route.from.connection();
    let last: unknown;
    for (const host of settings.hosts) {
      const config = clientConfig(settings, host, { applicationName: applicationName(route) });
      // The driver takes a connection that was made for it; its type declarations don't have it.
      const connection = new ReplicationConnection(config, this.#receiver());
      try {
        return await this.#start(
          new LogicalReplicationService({ ...config, connection } as ClientConfig, libraryOptions),
          watchStandby(connection),
        );
      } catch (error) {
        last = error;
        // A server that answered is the right one; the next host is for those that can't be reached.
        if (this.#client !== null || this.#closed) break;
      }
    }
    throw this.#classify(last);
  }

  #classify(error: unknown): TidelockError {
    const { route } = this.#options;
    // object_in_use: another reader was faster than the check.
    if (sqlState(error) === '55006')
      return fail(sourceErrors.slotActive, { route: route.name, slot: this.#names.slot, pid: 'unknown' }, error);
    return classifyPostgresError(error, route.from.name);
  }

  #start(service: LogicalReplicationService, isStandby: () => boolean): Promise<void> {
    this.#service = service;
    return new Promise((resolve, reject) => {
      let streams = false;
      const end = (error: unknown): void => {
        if (!streams) reject(error);
        else if (!this.#closed) this.#options.onEnd(this.#classify(error));
      };
      service.on('start', () => {
        streams = true;
        if (this.#options.budget.paused) this.#setPaused(true);
        resolve();
      });
      service.on('error', end);
      service.on('heartbeat', (lsn, atMs, replyRequested) => {
        this.#onReply?.();
        if (this.#closed || this.#resting) return;
        this.#heardAt = performance.now();
        this.#guard(() => this.#options.onKeepalive(parseLsn(lsn), atMs, replyRequested));
      });
      const plugin = new StartingPlugin({ start: (client) => this.#startReplication(client, isStandby) });
      service.subscribe(plugin, this.#names.slot).then(() => {
        const place = { node: this.#options.route.from.name, why: 'the server closed the replication stream' };
        end(fail(nodeErrors.unreachable, place));
      }, end);
    });
  }

  async #startReplication(client: Client, isStandby: () => boolean): Promise<unknown> {
    if (this.#closed) throw new Error('closed while connecting');
    const { from: node } = this.#options.route;
    if (isStandby()) throw standby(node, `${client.host}:${client.port}`);
    this.#client = client;
    const { from, isEarly } = await this.#options.prepare(client);
    if (isEarly) await client.query(lessAhead);
    const version = isEarly ? `proto_version '2', streaming 'on'` : `proto_version '1'`;
    const publications = quoteLiteral(quoteIdentifier(this.#names.publication));
    return client.query(
      `START_REPLICATION SLOT ${quoteIdentifier(this.#names.slot)} LOGICAL ${formatLsn(from)} ` +
        `(${version}, publication_names ${publications}, messages 'true')`,
    );
  }

  /** The clock is looked at for each chunk of the socket, not for each message. */
  #receiver(): RowReceiver {
    const { onMessage, onLargeMessage, meter } = this.#options;
    return {
      onChunk: () => {
        this.#heardAt = performance.now();
      },
      onMessage: (bytes, start, end) => {
        if (this.#closed || this.#resting) return;
        try {
          onMessage(bytes, start, end);
        } catch (error) {
          this.#failed(error);
        }
      },
      onLargeMessage: (bytes, start, end) => !this.#closed && !this.#resting && onLargeMessage(bytes, start, end),
      onChunkEnd: (bytes) => {
        meter.spent('decode', performance.now() - this.#heardAt);
        this.#gather(bytes);
      },
    };
  }

  /**
   * In a backlog little is read at a time where the walsender is slower than we are: each message of it wakes this process, which costs both
   * sides more than the message. Then what comes within a moment is read at once; the target has enough to do meanwhile.
   */
  #gather(bytes: number): void {
    const { budget } = this.#options;
    const isBacklog = budget.usedBytes >= Math.min(backlogBytes, budget.limitBytes / 8);
    if (bytes >= fullChunkBytes || !isBacklog || budget.paused || this.#gathering || this.#resting || this.#closed)
      return;
    const stream = this.#client?.connection.stream;
    if (stream === undefined) return;
    this.#gathering = true;
    stream.pause();
    setTimeout(() => {
      this.#gathering = false;
      if (!this.#resting && !this.#closed && !budget.paused) stream.resume();
    }, gatherMs);
  }

  /** An exception in here would end the process, being thrown in the socket's event. */
  #guard(receive: () => void): void {
    try {
      receive();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#closed) this.#options.onEnd(error);
  }

  #setPaused(paused: boolean): void {
    if (this.#resting) return;
    const stream = this.#client?.connection.stream;
    if (paused) stream?.pause();
    else {
      this.#heardAt = performance.now();
      stream?.resume();
    }
  }

  /** How long the server has been silent, 0 while it is us who do not read. */
  get silentMs(): number {
    return this.#options.budget.paused || this.#resting ? 0 : performance.now() - this.#heardAt;
  }

  /** Reports `lsn` as written, flushed and applied: the first byte that the server has to keep. */
  confirm(lsn: Lsn, askForReply = false): void {
    if (this.#resting) this.#told = lsn;
    // The library adds 1 to what it is given, since it takes it for the last byte received.
    this.#service?.acknowledge(formatLsn(lsn - 1n), askForReply).catch((error) => {
      if (!this.#closed) this.#options.onEnd(error);
    });
  }

  /** Reads nothing more. What is durable may be confirmed until it is closed. */
  rest(): void {
    if (this.#resting || this.#closed) return;
    this.#setPaused(true);
    this.#resting = true;
  }

  /**
   * Waits for a sign that the server has read what was told last: a connection that is closed with something unread is
   * reset, and takes with it what its other side has not read.
   */
  async #heard(lsn: Lsn): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, repliesMs);
      this.#onReply = resolve;
      this.#client?.connection.stream.once('close', resolve).resume();
      this.confirm(lsn, true);
    });
    clearTimeout(timer);
    this.#onReply = null;
  }

  /** Ends the connection: the server's shutdown waits for a session that is still there. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const told = this.#told;
    this.#told = null;
    if (told !== null) await this.#heard(told);
    if (this.#closed) return;
    this.#closed = true;
    this.#stopListening();
    this.#client?.connection.stream.destroy();
    const service = this.#service;
    if (service === null) return;
    const gone = service.destroy().catch(() => {});
    // A connection that is still being made can only be ended after that; #startReplication sees that it came too late.
    if (this.#client !== null) await gone;
  }
}

/** So much waits to be applied that nobody waits for what is read a moment later. */
const backlogBytes = 131_072;
/** Of the 64 KB that are read at a time: it is not worth waiting for more. */
const fullChunkBytes = 32_768;
/** The socket's buffers hold what comes meanwhile, so that the walsender goes on. */
const gatherMs = 2;

/**
 * A large transaction that is wanted early comes from so much on that is decoded of it: by the server's own setting (64 MB) the target has nothing to do until then.
 * A transaction of the size that is in between, which others come between, costs the session (early-transactions.ts).
 */
const lessAhead = `SELECT set_config('logical_decoding_work_mem', '16MB', false) FROM pg_settings
  WHERE name = 'logical_decoding_work_mem' AND setting::int8 > 16384`;

/** A server that is busy decoding answers late; what it has not read it tells again. */
const repliesMs = 500;

const libraryOptions = { acknowledge: { auto: false, timeoutSeconds: 0 }, flowControl: { enabled: false } };

interface Starter {
  start(client: Client): Promise<unknown>;
}

class StartingPlugin extends AbstractPlugin<Starter> {
  get name(): string {
    return 'pgoutput';
  }

  start(client: Client): Promise<unknown> {
    return this.options.start(client);
  }

  /** What the connection takes for a row never gets here. */
  parse(message: Buffer): void {
    throw new RangeError(`a message of ${message.length} bytes that is no row`);
  }
}
