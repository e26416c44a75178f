import type mysql from 'mysql2';
import { collectBehind } from '../../src/core/collect-garbage.ts';
import { type Statement, statementBytes, writeStatements } from './long-value.ts';

/** The longest payload of one packet; a message of as many bytes, or of a multiple, ends with an empty packet. */
const packetBytes = 0xff_ff_ff;

interface DriverPacket {
  readonly buffer: Buffer;
}

interface DriverConnection {
  writePacket(packet: object): void;
  addCommand(command: object): void;
}

/** mysql2's command for a query. */
interface DriverQuery {
  start(packet: unknown, connection: DriverConnection): unknown;
}

interface Driver {
  createQuery(
    options: object,
    values: undefined,
    callback: (error: Error | null, answer: unknown) => void,
    config: object,
  ): DriverQuery;
}

/** A message whose four bytes in front are for length and number. */
class Message {
  readonly buffer: Buffer;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  /** mysql2 cuts packets until this is reached. */
  length(): number {
    const payload = this.buffer.length - 4;
    return payload % packetBytes === 0 ? payload + 1 : payload;
  }

  writeHeader(sequenceId: number): void {
    this.buffer.writeUIntLE(this.buffer.length - 4, 0, 3);
    this.buffer[3] = sequenceId;
  }
}

/**
 * Sends statements as mysql2 does, but written straight into the message: the driver would want them as one string, which is one
 * more copy of every long value, and keep it until the answer is there. Answers as `connection.query` does.
 */
export async function sendStatements(
  connection: mysql.Connection,
  statements: readonly Statement[],
  options: object,
): Promise<unknown> {
  const { default: driver } = await import('mysql2');
  const bytes = statements.reduce((sum, statement) => sum + statementBytes(statement), 0);
  const answer = await new Promise((resolve, reject) => {
    const { config } = connection as unknown as { readonly config: object };
    const command = (driver as unknown as Driver).createQuery(
      { ...options, sql: '' },
      undefined,
      (error, answer) => (error === null ? resolve(answer) : reject(error)),
      config,
    );
    const start = command.start;
    command.start = (packet, on) => {
      // The packets that the values came in.
      collectBehind(bytes);
      // What the driver sends of an empty statement is the head of the command.
      const send = (head: object): void =>
        on.writePacket(new Message(writeStatements((head as DriverPacket).buffer, statements, ';\n')));
      const around = new Proxy(on, {
        get: (target, name) => (name === 'writePacket' ? send : Reflect.get(target, name, target)),
      });
      return start.call(command, packet, around);
    };
    (connection as unknown as DriverConnection).addCommand(command);
  });
  // The message.
  collectBehind(bytes);
  return answer;
}
