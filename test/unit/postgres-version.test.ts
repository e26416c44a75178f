import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { connectPostgres } from '../../connectors/postgres/connect.ts';
import { nodeAt } from '../support/postgres.ts';

/** A message of the server: its kind, its length, what it says. */
function message(kind: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const short = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const long = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);
const ready = message('Z', Buffer.from('I'));

interface Server {
  /** All settings that the session asks for. */
  readonly knows: boolean;
  readonly isStandby?: boolean;
}

/** As a server of this version answers: to a session with a setting that it does not know, and to one that asks for its version. */
function answer(number: number, version: string, { knows, isStandby = false }: Server): (socket: Socket) => void {
  const column = (name: string, type: number): Buffer[] => [
    text(name),
    ...[long(0), short(0), long(type), short(4), long(-1), short(0)],
  ];
  const value = (one: string): Buffer[] => [long(one.length), Buffer.from(one)];
  const row = [
    message('T', short(2), ...column('number', 23), ...column('text', 25)),
    message('D', short(2), ...value(String(number)), ...value(version)),
    message('C', text('SELECT 1')),
    ready,
  ];
  return (socket) => {
    socket.on('error', () => {});
    socket.once('data', (startup) => {
      if (startup.includes('idle_session_timeout') && !knows) {
        const said = 'unrecognized configuration parameter "idle_session_timeout"';
        socket.end(message('E', text('SFATAL'), text('C42704'), text(`M${said}`), Buffer.from([0])));
        return;
      }
      const standby = message('S', text('in_hot_standby'), text(isStandby ? 'on' : 'off'));
      socket.write(Buffer.concat([message('R', long(0)), standby, ready]));
      socket.on('data', (asked) => {
        if (asked[0] === 0x51) socket.write(Buffer.concat(row));
      });
    });
  };
}

/** As `npm run test:full` sees it of a PostgreSQL 13 (test/full/too-old-postgres). */
test.for([
  [
    130_023,
    '13.23',
    { knows: false },
    'TL-5007',
    'version 13.23 is not supported, the oldest that is is PostgreSQL 14',
  ],
  // It is another setting then, or something between.
  [140_000, '14.0', { knows: false }, 'TL-5006', 'unrecognized configuration parameter'],
  [140_000, '14.0', { knows: true }, null, ''],
  // Behind an address that moves in a failover: it is asked again, and by then it is promoted, or the address leads to another.
  [140_000, '14.0', { knows: true, isStandby: true }, 'TL-5002', 'is a standby'],
] as const)(
  'a server of version %i is taken, or refused as what it is: %s, %o',
  async ([number, version, how, code, said]) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      answer(number, version, how)(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const node = nodeAt(typeof address === 'object' && address ? address.port : 0, 'd');
    try {
      const connected = connectPostgres(node, { applicationName: 'a' });
      if (code === null) await (await connected).end();
      else {
        await expect(connected).rejects.toMatchObject({ code });
        await expect(connected).rejects.toThrow(said);
      }
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  },
);
