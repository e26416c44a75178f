import { once } from 'node:events';
import { connect } from 'node:net';
import type { MysqlServer } from '../../test/support/mysql.ts';

const packetBytes = 0xff_ff_ff;
const comQuery = 3;

/** The statements of a session of mysql2, each sent once the one before was answered, as the session itself did; with the same driver. */
export async function replayMysql(server: MysqlServer, sent: Uint8Array): Promise<void> {
  const connection = await server.connect();
  try {
    for (const statement of statementsOf(Buffer.from(sent.buffer, sent.byteOffset, sent.length)))
      await connection.query(statement);
  } finally {
    connection.destroy();
  }
}

function* statementsOf(bytes: Buffer): Generator<string> {
  for (let at = 0; at + 4 <= bytes.length; ) {
    const isCommand = bytes[at + 3] === 0;
    const pieces: Buffer[] = [];
    let length = packetBytes;
    // A longer message is several packets.
    while (length === packetBytes && at + 4 <= bytes.length) {
      length = bytes.readUIntLE(at, 3);
      pieces.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    const [first] = pieces;
    if (!isCommand || first?.[0] !== comQuery) continue;
    // Statements may have attributes: their number and that of their sets stand in front.
    const head = first[1] === 0 && first[2] === 1 ? 3 : 1;
    yield (pieces.length === 1 ? first : Buffer.concat(pieces)).toString('utf8', head);
  }
}

const sync = 0x53;
const simpleQuery = 0x51;
const ready = 0x5a;
const failed = 0x45;
/** As the engine has groups under way, one behind the other. */
const flightsUnderWay = 4;

/** What a session has sent, from its first message on, to a server that asks for no password. Throws where the server answers with an error. */
export async function replayPostgres(port: number, sent: Uint8Array): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  let answered = 0;
  let error: Error | null = null;
  let wake: () => void = () => {};
  const read = messages((type, text) => {
    if (type === failed) error ??= new Error(`the target refuses what it took before: ${text}`);
    if (type === ready) answered++;
  });
  socket.on('data', (chunk: Buffer) => {
    read(chunk);
    wake();
  });
  socket.on('close', () => {
    error ??= new Error('the target has ended the session');
    wake();
  });
  const settled = async (underWay: number, sentFlights: number): Promise<void> => {
    while (error === null && sentFlights - answered > underWay)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    if (error !== null) throw error;
  };
  try {
    let flights = 0;
    for (const flight of flightsOf(Buffer.from(sent.buffer, sent.byteOffset, sent.length))) {
      socket.write(flight);
      flights++;
      // Nothing may follow the first message until the session is there.
      await settled(flights === 1 ? 0 : flightsUnderWay - 1, flights);
    }
    await settled(0, flights);
  } finally {
    socket.destroy();
  }
}

/** Up to what the server answers with being ready: the first message, which has no type, then whatever ends with a Sync. */
function* flightsOf(bytes: Buffer): Generator<Buffer> {
  let from = 0;
  let at = bytes.readUInt32BE(0);
  yield bytes.subarray(0, at);
  from = at;
  while (at + 5 <= bytes.length) {
    const type = bytes[at];
    at += 1 + bytes.readUInt32BE(at + 1);
    if (type !== sync && type !== simpleQuery) continue;
    yield bytes.subarray(from, at);
    from = at;
  }
}

/** Tells the type of each message of a server as it comes, and what there is of its text by then. */
function messages(onMessage: (type: number, text: string) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let left = 0;
  return (chunk) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    rest = Buffer.alloc(0);
    for (;;) {
      const passed = Math.min(left, bytes.length);
      bytes = bytes.subarray(passed);
      left -= passed;
      if (bytes.length < 5) break;
      left = 1 + bytes.readUInt32BE(1);
      const type = bytes[0] ?? 0;
      onMessage(type, type === failed ? bytes.toString('utf8', 5, left).replaceAll('\0', ' ') : '');
    }
    rest = bytes;
  };
}
