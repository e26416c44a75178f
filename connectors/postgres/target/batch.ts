import type pg from 'pg';
import { type CopyData, CopyIn } from './copy-in.ts';

/** A statement touched another number of rows than it should have: the group is not what the target expects. */
export class CountMismatch extends Error {
  override readonly name = 'CountMismatch';
  readonly label: string;

  constructor(label: string, expected: number, found: number) {
    super(`${label}: ${expected} rows expected, ${found} found`);
    this.label = label;
  }
}

/** Takes statements in the order in which they are to run. */
export interface StatementSink {
  send(query: pg.QueryConfig | string): void;
  /** A statement that must touch exactly `expected` rows. */
  sendCounted(query: pg.QueryConfig, expected: number, label: string): void;
  /** COPY FROM STDIN that must bring exactly `expected` rows. */
  sendCopy(text: string, data: readonly CopyData[], expected: number, label: string): void;
}

interface Sent {
  readonly result: Promise<pg.QueryResult>;
  readonly check: ((result: pg.QueryResult) => void) | null;
}

/** Statements that were written one behind the other without waiting; `settle` waits for all answers. */
export class Batch implements StatementSink {
  readonly #client: pg.Client;
  #sent: Sent[] = [];

  constructor(client: pg.Client) {
    this.#client = client;
  }

  send(query: pg.QueryConfig | string, check: ((result: pg.QueryResult) => void) | null = null): void {
    this.#await(typeof query === 'string' ? this.#client.query(query) : this.#client.query(query), check);
  }

  #await(result: Promise<pg.QueryResult>, check: Sent['check']): void {
    // Answers are collected in settle(); until then a rejection must not count as unhandled.
    result.catch(() => {});
    this.#sent.push({ result, check });
  }

  /** Sends a statement that must touch exactly `expected` rows. */
  sendCounted(query: pg.QueryConfig, expected: number, label: string): void {
    this.send(query, counted(expected, label));
  }

  sendCopy(text: string, data: readonly CopyData[], expected: number, label: string): void {
    const result = new Promise<pg.QueryResult>((resolve, reject) => {
      const answered = (error: Error | null | undefined, answer: pg.QueryResult): void =>
        error ? reject(error) : resolve(answer);
      this.#client.query(new CopyIn(text, data, answered));
    });
    this.#await(result, counted(expected, label));
  }

  /** Throws the first error in the order of sending; what followed it has failed because of it. */
  async settle(): Promise<void> {
    const sent = this.#sent;
    this.#sent = [];
    let first: { readonly error: unknown } | null = null;
    for (const { result, check } of sent) {
      try {
        const answer = await result;
        if (first === null) check?.(answer);
      } catch (error) {
        first ??= { error };
      }
    }
    if (first !== null) throw first.error;
  }
}

function counted(expected: number, label: string): (result: pg.QueryResult) => void {
  return (result) => {
    if (result.rowCount !== expected) throw new CountMismatch(label, expected, result.rowCount ?? 0);
  };
}
