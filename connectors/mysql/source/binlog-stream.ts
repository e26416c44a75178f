import { randomInt, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type mysql from 'mysql2';
import type { ByteBudget } from '../../../src/core/byte-budget.ts';
import { collectBehind } from '../../../src/core/collect-garbage.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { classifyMysqlError } from '../classify-error.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';
import type { ServerFacts } from '../server-facts.ts';
import { sendCommand } from './dump-command.ts';
import { dumpRequest, registerRequest } from './dump-request.ts';
import type { BinlogPosition } from './position/binlog-position.ts';

export interface Beginning {
  readonly server: ServerFacts;
  readonly position: BinlogPosition;
}

export interface BinlogStreamOptions {
  readonly route: RouteDefinition;
  readonly budget: ByteBudget;
  /** Runs on the session before it streams, and says where to start. */
  prepare(session: MysqlSession): Promise<Beginning>;
  /** One event with its header, which lies in `bytes` from `start` to `end`; they are only good until it returns. */
  onEvent(bytes: Buffer, start: number, end: number): void;
  /** The session has ended by itself. Called once, and not after close(). */
  onEnd(error: unknown): void;
}

const heartbeatMs = 5_000;
/** Three heartbeats have not come. */
const silentMs = 3 * heartbeatMs + 1_000;

/**
 * One session that reads the binlog as a replica does: registered, with heartbeats, and with a server id of its own, since a
 * server ends the session of a replica when another one comes with the same id. mysql2 connects, authenticates and
 * takes packets apart; what is in them never becomes an object of its own.
 */
export class BinlogStream {
  readonly #options: BinlogStreamOptions;
  readonly #stopListening: () => void;
  /** In the upper half of the range, where nobody numbers servers. */
  readonly serverId = randomInt(2 ** 31, 2 ** 32 - 1);
  #connection: mysql.Connection | null = null;
  #closed = false;
  #heardAt = performance.now();
  /** A packet has come since the last look: the clock would cost more than half of what the packet does. */
  #heard = false;
  #watch: NodeJS.Timeout | null = null;

  constructor(options: BinlogStreamOptions) {
    this.#options = options;
    this.#stopListening = options.budget.onChange((paused) => this.#setPaused(paused));
  }

  /** Its number at the server; null before it has one. */
  get thread(): number | null {
    return this.#connection?.threadId ?? null;
  }

  /** Resolves when the dump was asked for; throws what prepare() throws, or a classified error. */
  async open(): Promise<void> {
    const { route, prepare, budget } = this.#options;
    const session = await connectMysql(route.from);
    this.#connection = session.connection;
    if (this.#closed) {
      session.close();
      throw fail(nodeErrors.unreachable, { node: route.from.name, why: 'closed while connecting' });
    }
    session.connection.on('error', (error: unknown) => this.#end(error));
    const beginning = await prepare(session);
    for (const statement of this.#settings(beginning)) await session.query(statement);
    await this.#register(session.connection);
    if (this.#closed) return;
    this.#heardAt = performance.now();
    this.#watch = setInterval(() => this.#look(), heartbeatMs);
    this.#dump(session.connection, beginning.position);
    if (budget.paused) this.#setPaused(true);
  }

  /** Both names of what MySQL has renamed: it takes either. */
  #settings({ server, position }: Beginning): string[] {
    const period = heartbeatMs * 1_000_000;
    const checksum = server.checksums ? 'CRC32' : 'NONE';
    const statements = [
      `SET @master_heartbeat_period = ${period}, @source_heartbeat_period = ${period}`,
      `SET @master_binlog_checksum = '${checksum}', @source_binlog_checksum = '${checksum}'`,
    ];
    const uuid = randomUUID();
    if (server.vendor === 'mysql') return [...statements, `SET @slave_uuid = '${uuid}', @replica_uuid = '${uuid}'`];
    // Four: knows GTIDs, and events that it may pass over.
    statements.push('SET @mariadb_slave_capability = 4');
    if (position.kind === 'mariadb')
      statements.push(
        `SET @slave_connect_state = '${position.gtids}', @slave_gtid_strict_mode = 0, @slave_gtid_ignore_duplicates = 0`,
      );
    return statements;
  }

  #register(connection: mysql.Connection): Promise<void> {
    return new Promise((resolve, reject) => {
      sendCommand(connection, registerRequest(this.serverId, hostname()), {
        onPacket: () => {
          resolve();
          return true;
        },
        onError: (error) => reject(classifyMysqlError(error, this.#options.route.from.name)),
      });
    });
  }

  #dump(connection: mysql.Connection, position: BinlogPosition): void {
    const { onEvent, route } = this.#options;
    sendCommand(connection, dumpRequest(position, this.serverId), {
      onPacket: (bytes, start, end) => {
        this.#heard = true;
        // 0xfe: the server has no more and ends the dump, as it does when it is stopped.
        if (bytes[start] !== 0) {
          this.#end(
            fail(nodeErrors.unreachable, { node: route.from.name, why: 'the server has ended the binlog stream' }),
          );
          return true;
        }
        if (this.#closed) return false;
        // The pieces that the driver has put together.
        collectBehind(end - start);
        try {
          onEvent(bytes, start + 1, end);
        } catch (error) {
          // An exception in here would be taken by the driver for an error of the network.
          this.#end(error);
        }
        return false;
      },
      onError: (error) => this.#end(error),
    });
  }

  #look(): void {
    if (this.#heard || this.#options.budget.paused) {
      this.#heard = false;
      this.#heardAt = performance.now();
    } else if (performance.now() - this.#heardAt > silentMs)
      this.#end(
        fail(nodeErrors.unreachable, { node: this.#options.route.from.name, why: 'the server has fallen silent' }),
      );
  }

  #setPaused(paused: boolean): void {
    const connection = this.#connection;
    if (connection === null || this.#watch === null) return;
    this.#heardAt = performance.now();
    if (paused) connection.pause();
    else connection.resume();
  }

  #end(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#options.onEnd(classifyMysqlError(error, this.#options.route.from.name));
  }

  /** At once: a server that is stopped waits for its dump threads. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopListening();
    if (this.#watch !== null) clearInterval(this.#watch);
    const { stream } = (this.#connection ?? {}) as { readonly stream?: { destroy(): void } };
    this.#connection?.destroy();
    stream?.destroy();
  }
}
