import { largeBytes } from '../../../src/core/collect-garbage.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Answer, MysqlSession } from '../connect.ts';
import { type Statement, statementBytes } from '../long-value.ts';
import type { CountedStatement } from './set-apply.ts';

/** The server is given so much at a time: it works on it while the rest is made. */
const flightBytes = 256 * 1024;
/** Behind each statement of a message, and in front of the first. */
const betweenBytes = 2;

/** What a single statement may have, of the longest message that the server takes. */
export function longestStatement(maxPacketBytes: number): number {
  return maxPacketBytes - 2 * betweenBytes;
}

/** A statement touched another number of rows than it should have: the group is not what the target expects. */
export class CountMismatch extends Error {
  override readonly name = 'CountMismatch';

  constructor(label: string, expected: number, found: number) {
    super(`${label}: ${expected} rows expected, ${found} found`);
  }
}

export interface FlightsOptions {
  readonly session: MysqlSession;
  readonly maxPacketBytes: number;
  readonly route: string;
}

type Check = (answer: Answer) => void;

/**
 * Statements in messages of several. The next message leaves once the one before was answered and is as it should be: after a deadlock the server has rolled
 * back, and what it was given then would commit by itself.
 */
export class Flights {
  readonly #options: FlightsOptions;
  #statements: Statement[] = [];
  #checks: (Check | null)[] = [];
  #bytes = 0;
  #sent: Promise<void> | null = null;

  constructor(options: FlightsOptions) {
    this.#options = options;
  }

  async send(statement: Statement, check: Check | null = null): Promise<void> {
    const bytes = statementBytes(statement) + betweenBytes;
    const limit = Math.min(flightBytes, this.#options.maxPacketBytes - betweenBytes);
    if (this.#bytes > 0 && this.#bytes + bytes > limit) await this.#leave();
    this.#statements.push(statement);
    this.#checks.push(check);
    this.#bytes += bytes;
    if (this.#bytes > limit) await this.#leave();
    // Nothing is read meanwhile that would be in memory beside it.
    if (bytes > largeBytes) await this.settle();
  }

  async sendCounted({ text, rows, label }: CountedStatement): Promise<void> {
    await this.send(
      text,
      rows === null
        ? null
        : ({ found }) => {
            if (found !== rows) throw new CountMismatch(label, rows, found);
          },
    );
  }

  /** Waits for all answers. Throws the first error. */
  async settle(): Promise<void> {
    await this.#leave();
    const sent = this.#sent;
    this.#sent = null;
    await sent;
  }

  /** Waits for the message before, and sends what has come since. */
  async #leave(): Promise<void> {
    const sent = this.#sent;
    this.#sent = null;
    await sent;
    if (this.#statements.length === 0) return;
    const [statements, checks] = [this.#statements, this.#checks];
    this.#statements = [];
    this.#checks = [];
    const bytes = this.#bytes + betweenBytes;
    this.#bytes = 0;
    const flight = this.#fly(statements, checks, bytes);
    // Its error is thrown where somebody waits for it.
    flight.catch(() => {});
    this.#sent = flight;
  }

  async #fly(statements: readonly Statement[], checks: readonly (Check | null)[], bytes: number): Promise<void> {
    const { session, maxPacketBytes, route } = this.#options;
    // One that is longer than the server takes would end the connection, again and again.
    if (bytes > maxPacketBytes) throw fail(targetErrors.packetTooLarge, { route, bytes, limit: maxPacketBytes });
    const answers = await session.batch(statements);
    for (const [at, check] of checks.entries()) {
      const answer = answers[at];
      if (answer === undefined) throw new RangeError('a statement without an answer');
      check?.(answer);
    }
  }
}
