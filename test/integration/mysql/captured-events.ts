import { crc32 } from 'node:zlib';
import { connectMysql } from '../../../connectors/mysql/connect.ts';
import { readServerFacts } from '../../../connectors/mysql/server-facts.ts';
import { nothingUnlogged } from '../../../connectors/mysql/source/binlog/row-plan.ts';
import { BinlogStream } from '../../../connectors/mysql/source/binlog-stream.ts';
import { readCollations } from '../../../connectors/mysql/source/charset-tables.ts';
import { binlogOrder, parsePosition } from '../../../connectors/mysql/source/position/binlog-position.ts';
import { readEnd } from '../../../connectors/mysql/source/start-check.ts';
import { StaleCatalogue, TransactionAssembler } from '../../../connectors/mysql/source/transaction-assembler.ts';
import { ByteBudget } from '../../../src/core/byte-budget.ts';
import { isRowChange, type RowChange } from '../../../src/core/change.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';

export interface Played {
  readonly error: unknown;
  readonly rows: readonly RowChange[];
}

export interface CapturedEvents {
  readonly bytes: readonly Buffer[];
  /** Rows of all of them. */
  readonly whole: readonly RowChange[];
  /** What an assembler of its own makes of these. */
  play(events: readonly Buffer[], cutOff?: Set<string>): Played;
}

/** Everything that the server sends from `from` to `to`, as bytes. */
export async function captureEvents(route: RouteDefinition, from: Position, to: Position): Promise<CapturedEvents> {
  const session = await connectMysql(route.from);
  const collations = await readCollations(session);
  const server = await readServerFacts(session);
  const end = await readEnd(session, server);
  session.close();
  const makeAssembler = (
    rows: RowChange[],
    onPosition: (position: Position) => void,
    cutOff = new Set<string>(),
  ): TransactionAssembler =>
    new TransactionAssembler({
      route: route.name,
      heartbeatId: 'none',
      forward: 'own',
      maxRowBytes: 1_000_000,
      maxPayloadBytes: 1_000_000,
      maxPreparedBytes: 1_000_000,
      start: parsePosition(from),
      collations,
      mariadb: server.vendor === 'mariadb',
      checksums: server.checksums,
      logsCascades: server.logsCascades,
      isTaken: (schema, name) => route.tables.select(schema, name) !== null,
      loadedTo: () => null,
      catalogue: { position: end, table: () => null, hasSchema: () => false, unlogged: () => nothingUnlogged },
      hasSchema: () => false,
      isCutOff: (id) => cutOff.has(id),
      onCutOff: (id) => cutOff.add(id),
      lastCommit: null,
      isWatched: () => false,
      onNewTable: () => {},
      onWatermark: () => {},
      hold: () => {},
      emit: (part) => {
        rows.push(...part.changes.filter(isRowChange));
        if (part.commit !== null) onPosition(part.commit.position);
      },
    });
  const bytes: Buffer[] = [];
  const whole: RowChange[] = [];
  await new Promise<void>((resolve, reject) => {
    const assembler = makeAssembler(whole, (position) => {
      if (!binlogOrder.covers(position, to)) return;
      stream.close();
      resolve();
    });
    const stream = new BinlogStream({
      route,
      budget: new ByteBudget(1e9),
      prepare: async () => ({ server, position: parsePosition(from) }),
      onEvent: (chunk, start, end) => {
        bytes.push(Buffer.from(chunk.subarray(start, end)));
        assembler.event(chunk, start, end);
      },
      onEnd: reject,
    });
    stream.open().catch(reject);
  });
  const play = (events: readonly Buffer[], cutOff = new Set<string>()): Played => {
    const rows: RowChange[] = [];
    const assembler = makeAssembler(rows, () => {}, cutOff);
    try {
      for (const event of events) assembler.event(event, 0, event.length);
      return { error: null, rows };
    } catch (error) {
      // A damaged GTID is of another time; the Collector would read on from here.
      return { error: error instanceof StaleCatalogue ? null : error, rows };
    }
  };
  return { bytes, whole, play };
}

/** As it would be where nobody had damaged it since. */
export function withChecksum(event: Buffer): Buffer {
  const copy = Buffer.from(event);
  if (copy.length > 4) copy.writeUInt32LE(crc32(copy.subarray(0, -4)), copy.length - 4);
  return copy;
}
