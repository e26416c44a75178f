import pg from 'pg';
import { sqlState } from '../classify-error.ts';
import type { CopyData } from './copy-data.ts';
import { MessageWriter, type Value } from './message-writer.ts';

/** What the server says of one statement. Its rows are text, column by column. */
export interface Answer {
  readonly command: string;
  readonly rowCount: number;
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A statement with its parameters. One with a name is prepared once for a session. */
export interface BoundStatement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly Value[];
  /** Of a COPY FROM STDIN. */
  readonly data?: readonly CopyData[];
}

export type Check = (answer: Answer) => void;

/** What it means that the server has refused a statement by dividing by zero: how statements of ours refuse what is off. */
export type Refusal = () => unknown;

const divisionByZero = '22012';

/** What the driver's connection has beyond its types. */
interface DriverConnection {
  readonly stream: { cork(): void; uncork(): void; write(message: Buffer): boolean };
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
}

interface Sent {
  readonly name: string;
  readonly text: string;
  readonly check: Check | null;
  readonly refusal: Refusal | null;
}

const noRows: Answer['rows'] = [];

/**
 * Statements that are written at once and answered at once: one Sync ends them, so that the server sends what it has to say in
 * one piece and passes over all that follows an error. Of the driver's own queries each has a Sync, a description of its
 * answer, an object with events and a promise, and wakes this process by itself: for the seven statements of a small group
 * that was most of what it cost. To the driver a flight is one query among those of its pipeline.
 */
export class Flight extends pg.Query {
  readonly done: Promise<void>;
  /** Of the statement whose answer is awaited: the driver notes it as prepared. */
  declare name: string;
  declare text: string;
  readonly #connection: DriverConnection;
  readonly #writer = new MessageWriter();
  readonly #sent: Sent[] = [];
  /** Names that this flight is the first to use. */
  readonly #parsed = new Map<string, string>();
  #answered = 0;
  #rows: (readonly (string | null)[])[] = [];
  #failure: { readonly error: unknown } | null = null;
  #resolve: () => void = () => {};

  constructor(client: pg.Client) {
    super('', () => {});
    this.#connection = client.connection as unknown as DriverConnection;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.submit = (): null => {
      this.#submit();
      return null;
    };
  }

  /** That were written for it, which takes time. */
  get bytes(): number {
    return this.#writer.bytes - this.#writer.lentBytes;
  }

  /** The first thing that went wrong, in the order of the statements; what follows an error was not carried out. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /** `check` sees the answer, and throws where it is not what it has to be. */
  add(
    { name = '', text, values = [], data }: BoundStatement,
    check: Check | null,
    refusal: Refusal | null = null,
  ): void {
    const { parsedStatements, submittedNamedStatements } = this.#connection;
    const isKnown = (parsedStatements[name] ?? submittedNamedStatements[name]) !== undefined || this.#parsed.has(name);
    if (name === '' || !isKnown) {
      this.#writer.parse(name, text);
      if (name !== '') this.#parsed.set(name, text);
    }
    this.#writer.bind(name, values);
    this.#writer.execute();
    if (data !== undefined) {
      // A server that refuses the command reads on and drops its data, as everything else up to the Sync.
      this.#writer.append(data);
      this.#writer.copyDone();
    }
    this.#sent.push({ name, text, check, refusal });
  }

  handleRowDescription(): void {}

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const sent = this.#sent[this.#answered++];
    const rows = this.#rows.length === 0 ? noRows : this.#rows;
    if (rows !== noRows) this.#rows = [];
    this.#expectNext();
    if (!sent?.check) return;
    try {
      // Behind a check that has failed, too: the server has gone on, and a COMMIT may be among it.
      sent.check(answerOf(text, rows));
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** The server is ready for data that is on its way already; the driver's own answer would be to give up. */
  handleCopyInResponse(): void {}

  handleReadyForQuery(): void {
    this.#resolve();
  }

  handleError(error: unknown): void {
    const refusal = sqlState(error) === divisionByZero ? this.#sent[this.#answered]?.refusal : null;
    this.#failure ??= { error: refusal?.() ?? error };
    // What comes after the error was not prepared either.
    const { submittedNamedStatements } = this.#connection;
    for (const name of this.#parsed.keys()) delete submittedNamedStatements[name];
    this.#resolve();
  }

  #submit(): void {
    this.#writer.sync();
    this.#expectNext();
    const { stream, submittedNamedStatements } = this.#connection;
    // Not before: what is never sent must not be taken for prepared.
    for (const [name, text] of this.#parsed) submittedNamedStatements[name] = text;
    stream.cork();
    for (const message of this.#writer.take()) stream.write(message);
    stream.uncork();
  }

  #expectNext(): void {
    const next = this.#sent[this.#answered];
    this.name = next?.name ?? '';
    this.text = next?.text ?? '';
  }
}

/** `UPDATE 5`, `INSERT 0 5`, `COMMIT`. */
function answerOf(tag: string, rows: Answer['rows']): Answer {
  const space = tag.lastIndexOf(' ');
  const count = Number(tag.slice(space + 1));
  const command = tag.indexOf(' ') < 0 ? tag : tag.slice(0, tag.indexOf(' '));
  return { command, rowCount: Number.isNaN(count) ? 0 : count, rows };
}
