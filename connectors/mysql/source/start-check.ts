import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../src/core/position.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import type { MysqlSession } from '../connect.ts';
import type { ServerFacts } from '../server-facts.ts';
import { type BinlogPosition, compareFiles, type FilePlace, parsePosition } from './position/binlog-position.ts';
import { GtidSet } from './position/gtid-set.ts';
import { MariadbGtids } from './position/mariadb-gtids.ts';

/** What tells a source from another. With GTIDs every server of a topology will do: the numbers themselves are its identity. */
export function identityOf(server: ServerFacts): SourceIdentity {
  return server.gtids ? { vendor: server.vendor } : { vendor: server.vendor, server: server.uuid };
}

/** Where the server's binlogs end now. */
export async function readEnd(session: MysqlSession, server: ServerFacts): Promise<BinlogPosition> {
  if (server.vendor === 'mariadb') {
    const [row] = await session.query('SELECT @@GLOBAL.gtid_binlog_pos');
    return { kind: 'mariadb', gtids: MariadbGtids.parse(row?.[0] ?? '') };
  }
  if (server.gtids) {
    const [row] = await session.query('SELECT @@GLOBAL.gtid_executed');
    return { kind: 'gtid', set: GtidSet.parse(row?.[0] ?? '') };
  }
  const last = (await readBinlogs(session)).at(-1);
  return { kind: 'file', place: last ?? { file: '', offset: 4 } };
}

/** The binlogs that are there, with their ends. */
export async function readBinlogs(session: MysqlSession): Promise<FilePlace[]> {
  const rows = await session.query('SHOW BINARY LOGS');
  return rows.map(([file, size]) => ({ file: String(file), offset: Number(size) }));
}

export interface StartCheckOptions {
  readonly route: string;
  readonly stored: SourceIdentity;
  readonly position: Position;
  readonly server: ServerFacts;
  /** What the node calls itself, null where it has no name. */
  readonly node?: string | null;
}

/**
 * Demands that the stream can begin exactly behind the checkpoint: the source has everything that the target has, and still has everything that
 * comes after it. A server would begin elsewhere for a position of another server's files, and says nothing of GTIDs that it never had.
 */
export async function checkStart(session: MysqlSession, options: StartCheckOptions): Promise<BinlogPosition> {
  const { route, stored, server } = options;
  const start = parsePosition(options.position);
  const found = identityOf(server);
  if (stored.vendor !== found.vendor)
    throw fail(sourceErrors.sourceReplaced, {
      route,
      what: 'vendor',
      stored: stored.vendor ?? '',
      found: server.vendor,
    });
  const { node = null } = options;
  if (stored.node !== undefined && node !== null && stored.node !== node)
    throw fail(sourceErrors.sourceReplaced, {
      route,
      what: 'name in tidelock.signals',
      stored: stored.node,
      found: node,
    });
  const expected = server.vendor === 'mariadb' ? 'mariadb' : server.gtids ? 'gtid' : 'file';
  if (start.kind !== expected)
    throw fail(sourceErrors.positionKind, { route, position: options.position, expected: kinds[expected] });
  const end = await readEnd(session, server);
  const checkpoint = options.position;
  if (start.kind === 'gtid' && end.kind === 'gtid') {
    if (!end.set.covers(start.set))
      throw fail(sourceErrors.gtidsMissing, { route, checkpoint, executed: String(end.set) });
    const [row] = await session.query('SELECT @@GLOBAL.gtid_purged');
    const purged = GtidSet.parse(row?.[0] ?? '');
    if (!start.set.covers(purged))
      throw fail(sourceErrors.binlogPurged, { route, checkpoint, missing: String(purged) });
  } else if (start.kind === 'mariadb' && end.kind === 'mariadb') {
    if (!end.gtids.covers(start.gtids))
      throw fail(sourceErrors.gtidsMissing, { route, checkpoint, executed: String(end.gtids) });
    const before = await readOldestMariadb(session);
    if (!start.gtids.covers(before))
      throw fail(sourceErrors.binlogPurged, { route, checkpoint, missing: String(before) });
  } else if (start.kind === 'file') {
    if (stored.server !== server.uuid)
      throw fail(sourceErrors.sourceReplaced, {
        route,
        what: 'server UUID',
        stored: stored.server ?? '',
        found: server.uuid,
      });
    await checkFile(session, route, start.place);
  }
  return start;
}

const kinds = { gtid: 'GTID sets', mariadb: 'GTIDs of MariaDB', file: 'places in a binlog' } as const;

async function checkFile(session: MysqlSession, route: string, place: FilePlace): Promise<void> {
  const binlogs = await readBinlogs(session);
  const checkpoint = `${place.file}:${place.offset}`;
  const file = binlogs.find(({ file }) => file === place.file);
  const [first] = binlogs;
  const last = binlogs.at(-1);
  if (file === undefined && first !== undefined && compareFiles(place, first) < 0)
    throw fail(sourceErrors.binlogPurged, { route, checkpoint, missing: `the oldest is ${first.file}` });
  if (file === undefined || place.offset > file.offset)
    throw fail(sourceErrors.gtidsMissing, {
      route,
      checkpoint,
      executed: last === undefined ? '' : `${last.file}:${last.offset}`,
    });
}

/** What came before the oldest binlog that is there: its first events tell. */
async function readOldestMariadb(session: MysqlSession): Promise<MariadbGtids> {
  const [oldest] = await readBinlogs(session);
  if (oldest === undefined) return new MariadbGtids();
  const events = await session.query('SHOW BINLOG EVENTS IN ? LIMIT 3', [oldest.file]);
  const list = events.find(([, , type]) => type === 'Gtid_list')?.[5] ?? '';
  const text = /\[(.*)\]/.exec(list)?.[1] ?? '';
  // It may have several servers of one domain: the highest is what counts.
  const highest = new Map<string, string>();
  for (const gtid of text.split(',').filter((part) => part !== '')) {
    const [domain = '', , sequence = ''] = gtid.split('-');
    if (Number(sequence) > Number(highest.get(domain)?.split('-')[2] ?? 0)) highest.set(domain, gtid);
  }
  return MariadbGtids.parse([...highest.values()].join(','));
}
