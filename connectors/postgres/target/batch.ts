import type pg from 'pg';
import type { CopyData } from './copy-data.ts';
import { type BoundStatement, type Check, Flight, type Refusal } from './flight.ts';

/** The server is given so much at a time: it works on it while the rest is made. */
const flightBytes = 65_536;

/**
 * Fails outside a transaction. Where BEGIN has failed (out of memory, cancelled), the server passes over what is in its flight, and would carry
 * out those behind it all the same, each statement or flight in a transaction of its own.
 */
const withinTransaction: BoundStatement = {
  name: 'tl_within',
  text: 'lock table tidelock.checkpoints in access share mode',
};

/** A statement touched another number of rows than it should have: the group is not what the target expects. */
export class CountMismatch extends Error {
  override readonly name = 'CountMismatch';
  readonly label: string;

  /** `found`: null where only the server knows. */
  constructor(label: string, expected: number, found: number | null) {
    super(`${label}: ${expected} rows expected, ${found ?? 'another number'} found`);
    this.label = label;
  }
}

/** Takes statements in the order in which they are to run. */
export interface StatementSink {
  /** `check` is given the answer, and throws what the group fails with. */
  send(query: BoundStatement | string, check?: Check | null): void;
  /** A statement that must touch exactly `expected` rows. */
  sendCounted(query: BoundStatement, expected: number, label: string): void;
  /** The same, where the server itself refuses another number. */
  sendGuarded(query: BoundStatement, expected: number, label: string): void;
  /** COPY FROM STDIN that must bring exactly `expected` rows. */
  sendCopy(text: string, data: readonly CopyData[], expected: number, label: string): void;
}

/**
 * Statements that are sent one behind the other without waiting; `settle` waits for all answers. They leave with `flush`, with
 * `settle`, or when there are many; what is asked of the session otherwise comes before those that have not left.
 */
export class Batch implements StatementSink {
  readonly #client: pg.Client;
  /** A flight has left. */
  #hasLeft = false;
  /** The COMMIT is among what was given. */
  #hasEnded = false;
  #next: Flight | null = null;
  #sent: Flight[] = [];

  constructor(client: pg.Client) {
    this.#client = client;
  }

  send(query: BoundStatement | string, check: Check | null = null, refusal: Refusal | null = null): void {
    this.#next ??= this.#flight();
    this.#next.add(typeof query === 'string' ? { text: query } : query, check, refusal);
    if (this.#next.bytes >= flightBytes) void this.flush();
  }

  sendCounted(query: BoundStatement, expected: number, label: string): void {
    this.send(query, counted(expected, label));
  }

  sendGuarded(query: BoundStatement, expected: number, label: string): void {
    this.send(query, null, () => new CountMismatch(label, expected, null));
  }

  sendCopy(text: string, data: readonly CopyData[], expected: number, label: string): void {
    this.send({ text, data }, counted(expected, label));
  }

  /** The COMMIT of the transaction that all before belongs to. */
  sendCommit(check: Check): void {
    this.send('commit', check);
    this.#hasEnded = true;
  }

  /** Everything leaves now. Resolves when that was answered, however. */
  flush(): Promise<void> {
    const flight = this.#next;
    if (flight === null) return this.#sent.at(-1)?.done ?? Promise.resolve();
    this.#next = null;
    this.#sent.push(flight);
    this.#hasLeft = true;
    this.#client.query(flight);
    return flight.done;
  }

  /** One behind others goes on in the transaction that the first has begun. */
  #flight(): Flight {
    const flight = new Flight(this.#client);
    if (this.#hasLeft && !this.#hasEnded) flight.add(withinTransaction, null);
    return flight;
  }

  /** Throws the first error in the order of sending; what followed it has failed because of it. */
  async settle(): Promise<void> {
    void this.flush();
    const sent = this.#sent;
    this.#sent = [];
    for (const { done } of sent) await done;
    const failed = sent.find(({ failure }) => failure !== null);
    if (failed?.failure) throw failed.failure.error;
  }
}

function counted(expected: number, label: string): Check {
  return ({ rowCount }) => {
    if (rowCount !== expected) throw new CountMismatch(label, expected, rowCount);
  };
}
