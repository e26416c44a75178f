import type { EventEmitter } from 'node:events';
import { collectBehind } from '../../../src/core/collect-garbage.ts';
import { LongRowError } from '../../../src/core/row-text.ts';
import type { MysqlSession } from '../connect.ts';

/** What of a packet of mysql2 is read here. */
interface DriverPacket {
  readonly buffer: Buffer;
  /** Where its payload begins. */
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
}

/** What takes the next packet. */
type Next = (packet: DriverPacket) => Next | null;

/** mysql2's command for a query: `row` takes each packet of its rows, and what ends them. */
interface DriverQuery extends EventEmitter {
  row: Next;
}

interface DriverField {
  /** 63: bytes, which numbers and times are said to be, too. */
  readonly characterSet: number;
}

/** Makes something of rows as they come. None of its methods may throw: the driver would not stand it. */
export interface RowSink<T> {
  /** `areBytes`: by column, the server says that what comes is in no charset. */
  begin(areBytes: readonly boolean[]): void;
  /** One row of the text protocol, which lies in `bytes` from `start` to `end`. Returns how many bytes its values have. */
  add(bytes: Buffer, start: number, end: number): number;
  /** Those since the last call. */
  take(): T;
}

export interface ArrivingBatch<T> {
  readonly taken: T;
  readonly rows: number;
  readonly bytes: number;
}

export interface ArrivingOptions<T> {
  readonly sql: string;
  readonly values: readonly (string | number | Buffer)[];
  readonly sink: RowSink<T>;
  readonly maxRowBytes: number;
  /** Values may have megabytes each: nothing is read while a batch is looked at. */
  readonly isUnbounded: boolean;
}

const batchBytes = 1_000_000;
const batchRows = 5_000;

const binaryCharset = 63;

/**
 * The rows of a query in batches of about 1 MB. Two more are read while one is looked at. What the driver itself would make of a row is an object for
 * it and a closure for each of its values, and a turn of the event loop for each row.
 */
export async function* arrivingRows<T>(
  session: MysqlSession,
  options: ArrivingOptions<T>,
): AsyncGenerator<ArrivingBatch<T>, void, undefined> {
  using arrivals = new Arrivals(session, options);
  for (let batch = await arrivals.next(); batch !== null; batch = await arrivals.next()) yield batch;
}

class Arrivals<T> implements Disposable {
  readonly #session: MysqlSession;
  readonly #options: ArrivingOptions<T>;
  readonly #takeBack: () => void;
  readonly #onError = (error: unknown): void => this.#end(error);
  readonly #onClose = (): void => this.#end(new Error('the connection was closed'));
  #ready: (ArrivingBatch<T> & { readonly longest: number })[] = [];
  #rows = 0;
  #longest = 0;
  #bytes = 0;
  #isPaused = false;
  /** All rows have come, or none comes any more. */
  #ended = false;
  #failure: { readonly error: unknown } | null = null;
  #wake: () => void = () => {};

  constructor(session: MysqlSession, options: ArrivingOptions<T>) {
    this.#session = session;
    this.#options = options;
    const { connection, socket } = session;
    // What loses the connection the driver tells whoever has given it a callback, and not whoever waits for rows.
    connection.on('error', this.#onError);
    socket.on('close', this.#onClose);
    this.#takeBack = session.onClose(this.#onClose);
    if (socket.destroyed) this.#onClose();
    const { sql, values, sink } = options;
    const query = connection.query({ sql, values: [...values], rowsAsArray: true }) as unknown as DriverQuery;
    query.on('fields', (fields: readonly DriverField[]) =>
      sink.begin(fields.map(({ characterSet }) => characterSet === binaryCharset)),
    );
    const ofDriver = query.row;
    query.row = (packet) => {
      if (packet.isEOF()) return ofDriver.call(query, packet);
      if (!this.#ended) this.#row(packet);
      return query.row;
    };
    query.on('error', (error: object) => {
      // The driver's errors carry the statement, and that holds values.
      Reflect.deleteProperty(error, 'sql');
      this.#onError(error);
    });
    query.on('end', () => this.#end(null));
  }

  /** Null behind the last. */
  async next(): Promise<ArrivingBatch<T> | null> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error;
      const batch = this.#ready.shift();
      if (batch !== undefined) {
        if (!this.#isLarge(batch)) this.#resume();
        // Not where the row comes: there the driver still has the pieces that it has put together.
        collectBehind(batch.longest);
        return batch;
      }
      if (this.#ended) return null;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#resume();
      await woken;
    }
  }

  /** The next row would be put together beside one that is looked at. */
  #isLarge({ bytes }: ArrivingBatch<T>): boolean {
    return this.#options.isUnbounded || bytes > 2 * batchBytes;
  }

  #row({ buffer, offset, end }: DriverPacket): void {
    const { sink, maxRowBytes } = this.#options;
    const bytes = sink.add(buffer, offset, end);
    if (bytes > maxRowBytes) {
      this.#end(new LongRowError(bytes));
      return;
    }
    if (bytes > this.#longest) this.#longest = bytes;
    this.#rows++;
    this.#bytes += bytes;
    if (this.#bytes >= batchBytes || this.#rows >= batchRows) this.#cut();
  }

  #cut(): void {
    const batch = { taken: this.#options.sink.take(), rows: this.#rows, bytes: this.#bytes, longest: this.#longest };
    this.#rows = 0;
    this.#longest = 0;
    this.#bytes = 0;
    this.#ready.push(batch);
    // So many wait beside the one that is looked at.
    if (this.#isLarge(batch) || this.#ready.length > 1) this.#pause();
    this.#wake();
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error !== null) {
      this.#failure = { error };
      this.#ready = [];
    } else if (this.#rows > 0) this.#cut();
    this.#wake();
  }

  #pause(): void {
    if (this.#isPaused || this.#ended) return;
    this.#isPaused = true;
    this.#session.connection.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#session.connection.resume();
  }

  [Symbol.dispose](): void {
    this.#session.connection.off('error', this.#onError);
    this.#session.socket.off('close', this.#onClose);
    this.#takeBack();
    this.#ended = true;
    // What still comes is passed over.
    this.#resume();
  }
}
