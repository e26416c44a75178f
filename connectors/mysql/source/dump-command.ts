import type mysql from 'mysql2';

/** What of a packet of mysql2 is read here. */
interface Packet {
  readonly buffer: Buffer;
  /** Where its payload begins. */
  readonly offset: number;
  readonly end: number;
  isError(): boolean;
  asError(encoding: string): Error;
}

/** mysql2 gives its packets to such an object; its own commands are of this kind, too. */
interface CommandConnection {
  addCommand(command: object): void;
  writePacket(packet: object): void;
  _resetSequenceId(): void;
}

/** A packet to be sent: mysql2 puts length and number into the four bytes in front. */
class OutgoingPacket {
  readonly buffer: Buffer;

  constructor(payload: Buffer) {
    this.buffer = Buffer.concat([Buffer.alloc(4), payload]);
  }

  length(): number {
    return this.buffer.length;
  }

  writeHeader(sequenceId: number): void {
    this.buffer.writeUIntLE(this.buffer.length - 4, 0, 3);
    this.buffer[3] = sequenceId;
  }
}

export interface PacketReceiver {
  /** The payload lies in `bytes` from `start` to `end`, and is only good until it returns. True ends the command. */
  onPacket(bytes: Buffer, start: number, end: number): boolean;
  onError(error: Error): void;
}

/** Sends one command of the protocol and gives every packet that answers it to `receiver`. */
export function sendCommand(connection: mysql.Connection, payload: Buffer, receiver: PacketReceiver): void {
  let sent = false;
  const command = {
    execute(packet: Packet | undefined, on: CommandConnection): boolean {
      if (!sent) {
        sent = true;
        on._resetSequenceId();
        on.writePacket(new OutgoingPacket(payload));
        return false;
      }
      if (packet === undefined) return false;
      if (packet.isError()) {
        receiver.onError(packet.asError('utf8'));
        return true;
      }
      return receiver.onPacket(packet.buffer, packet.offset, packet.end);
    },
    /** The connection was lost. */
    onResult: (error: Error) => receiver.onError(error),
  };
  (connection as unknown as CommandConnection).addCommand(command);
}
