import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { CopyFramer } from './copy-framer.ts';

/** What pg.Connection calls for each stream that it reads: the socket, or TLS over it. Its type declarations leave it out. */
interface AttachesListeners {
  attachListeners(stream: EventEmitter): void;
}
const Connection = pg.Connection as unknown as new (config: pg.ConnectionConfig) => pg.Connection & AttachesListeners;

export interface RowReceiver {
  /** A chunk of the socket is about to be taken apart. */
  onChunk(): void;
  /** Its last message has been given out. */
  onChunkEnd(bytes: number): void;
  /** One message of pgoutput. The bytes are never written to again. */
  onMessage(bytes: Buffer, start: number, end: number): void;
  /** The beginning of a large one: whether it is wanted. */
  onLargeMessage(bytes: Buffer, start: number, end: number): boolean;
}

/**
 * A connection of the driver whose rows go past the driver: it makes two objects and a view of each message and tells of
 * it by an event, for which the library above it makes two texts, another view, a second event and a promise. That was
 * more than half of what a row cost before it was applied. Everything else, keepalives among it, is the driver's.
 */
export class ReplicationConnection extends Connection {
  readonly #receiver: RowReceiver;

  constructor(config: pg.ConnectionConfig, receiver: RowReceiver) {
    super(config);
    this.#receiver = receiver;
  }

  override attachListeners(stream: Duplex): void {
    const receiver = this.#receiver;
    const driver = new EventEmitter();
    super.attachListeners(driver);
    const framer = new CopyFramer({
      onLogData: (bytes, start, end) => receiver.onMessage(bytes, start, end),
      onLargeLogData: (bytes, start, end) => receiver.onLargeMessage(bytes, start, end),
      onOther: (message) => driver.emit('data', message),
    });
    stream.on('data', (chunk: Buffer) => {
      receiver.onChunk();
      try {
        framer.push(chunk);
      } catch (error) {
        // Not in the socket's event, where it would end the process: the driver tells it as a broken connection.
        stream.destroy(error as Error);
      }
      receiver.onChunkEnd(chunk.length);
    });
    stream.on('end', () => driver.emit('end'));
  }
}
