import type { StatementSink } from './batch.ts';
import type { CopyData } from './copy-data.ts';
import type { BoundStatement, Check } from './flight.ts';

/** The statements of a group with their values, ready to be sent: made while the server works on the group before. */
export class PreparedGroup implements StatementSink {
  readonly #sends: ((sink: StatementSink) => void)[] = [];

  send(query: BoundStatement | string, check: Check | null = null): void {
    this.#sends.push((sink) => sink.send(query, check));
  }

  sendCounted(query: BoundStatement, expected: number, label: string): void {
    this.#sends.push((sink) => sink.sendCounted(query, expected, label));
  }

  sendGuarded(query: BoundStatement, expected: number, label: string): void {
    this.#sends.push((sink) => sink.sendGuarded(query, expected, label));
  }

  sendCopy(text: string, data: readonly CopyData[], expected: number, label: string): void {
    this.#sends.push((sink) => sink.sendCopy(text, data, expected, label));
  }

  sendTo(sink: StatementSink): void {
    for (const send of this.#sends) send(sink);
  }
}
