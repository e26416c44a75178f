import pg from 'pg';

/** What the driver's connection has beyond its types. */
interface CopyConnection {
  readonly stream: { cork(): void; uncork(): void; write(message: Buffer): void };
  query(text: string): void;
  endCopyFrom(): void;
}

/** A message of the protocol that holds a piece of what is copied. */
export type CopyData = Buffer & { readonly __brand: 'CopyData' };

/** Written once, where it is to be sent from. */
export function copyData(text: string): CopyData {
  const bytes = Buffer.byteLength(text);
  const message = Buffer.allocUnsafe(bytes + 5);
  message[0] = 'd'.charCodeAt(0);
  message.writeInt32BE(bytes + 4, 1);
  message.write(text, 5);
  return message as CopyData;
}

/**
 * `COPY ... FROM STDIN` with its data written right behind it, so that it rides in the pipeline like any statement. A
 * server that refuses the command, before the data or in it, reads on and drops what is left of the data.
 */
export class CopyIn extends pg.Query {
  constructor(
    text: string,
    data: readonly CopyData[],
    onAnswer: (error: Error | null | undefined, result: pg.QueryResult) => void,
  ) {
    super(text, onAnswer);
    this.submit = (to) => {
      const connection = to as unknown as CopyConnection;
      connection.stream.cork();
      connection.query(text);
      for (const message of data) connection.stream.write(message);
      connection.endCopyFrom();
      connection.stream.uncork();
      return null;
    };
  }

  /** The server is ready for data that is on its way already; the driver's own answer would be to give up. */
  handleCopyInResponse(): void {}
}
