import type pg from 'pg';

/** A statement touched another number of rows than it should have: the group is not what the target expects. */
export class CountMismatch extends Error {
  override readonly name = 'CountMismatch';
  readonly label: string;

  constructor(label: string, expected: number, found: number) {
    super(`${label}: ${expected} rows expected, ${found} found`);
    this.label = label;
  }
}

interface Sent {
  readonly result: Promise<pg.QueryResult>;
  readonly check: ((result: pg.QueryResult) => void) | null;
}

/** Statements that were written one behind the other without waiting; `settle` waits for all answers. */
export class Batch {
  readonly #client: pg.Client;
  #sent: Sent[] = [];

  constructor(client: pg.Client) {
    this.#client = client;
  }

  send(query: pg.QueryConfig | string, check: ((result: pg.QueryResult) => void) | null = null): void {
    const result = typeof query === 'string' ? this.#client.query(query) : this.#client.query(query);
    // Answers are collected in settle(); until then a rejection must not count as unhandled.
    result.catch(() => {});
    this.#sent.push({ result, check });
  }

  /** Sends a statement that must touch exactly `expected` rows. */
  sendCounted(query: pg.QueryConfig, expected: number, label: string): void {
    this.send(query, (result) => {
      if (result.rowCount !== expected) throw new CountMismatch(label, expected, result.rowCount ?? 0);
    });
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
