import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import { type Lsn, parseLsn } from '../lsn.ts';
import type { Queryable } from './sessions.ts';

/** What tells one source from another, and how far it has written. */
export interface SystemIdentity {
  readonly identity: SourceIdentity & {
    readonly systemId: string;
    readonly timeline: string;
    readonly database: string;
    readonly databaseOid: string;
  };
  readonly flushedLsn: Lsn;
}

/** On a replication session. */
export async function readSystemIdentity(replication: Queryable): Promise<SystemIdentity> {
  const system = (await replication.query('IDENTIFY_SYSTEM')).rows[0] ?? {};
  const database = (
    await replication.query('SELECT oid::text AS oid FROM pg_database WHERE datname = current_database()')
  ).rows[0];
  return {
    identity: {
      systemId: String(system.systemid),
      timeline: String(system.timeline),
      database: String(system.dbname),
      databaseOid: String(database?.oid),
    },
    flushedLsn: parseLsn(String(system.xlogpos)),
  };
}

/**
 * Where the server's current timeline left `ancestor`; null where it does not descend from it. A history file has one
 * line for each ancestor: its number, the position at which it was left, and why.
 */
export async function forkOf(replication: Queryable, timeline: string, ancestor: string): Promise<Lsn | null> {
  const content = (await replication.query(`TIMELINE_HISTORY ${Number(timeline)}`)).rows[0]?.content;
  for (const line of String(content).split('\n')) {
    const match = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line);
    if (match?.[1] === ancestor && match[2] !== undefined) return parseLsn(match[2]);
  }
  return null;
}
