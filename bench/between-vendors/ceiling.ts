import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MysqlServer } from '../../test/support/mysql.ts';
import type { PostgresServer } from '../../test/support/postgres.ts';
import type { RouteEnd } from '../../test/support/route.ts';
import { runDirectory } from '../../test/support/run-directory.ts';
import { serverCpuUs } from '../measure.ts';
import { recordingLink } from './recording-link.ts';
import { replayMysql, replayPostgres } from './replay.ts';

/** A server that a route writes to. */
export type TargetServer = MysqlServer | PostgresServer;

export interface Ceiling {
  readonly ms: number;
  readonly targetCpuUs: number;
}

/**
 * What the target alone takes for the same statements: those of one round are recorded on their way, the target is made again what it was before, and gets
 * them once more from memory, over one session, with nobody else at work. `round` carries a backlog through the port that it is given.
 */
export async function targetCeiling(
  { server, end }: { readonly server: TargetServer; readonly end: RouteEnd },
  round: (port: number) => Promise<void>,
): Promise<Ceiling> {
  await stop(server);
  const saved = mkdtempSync(join(runDirectory(), 'saved-'));
  try {
    copy(server.dataDir, saved);
    await server.start();
    const sent = await recorded(server, round);
    const [route] = await end.query('SELECT epoch FROM tidelock.routes');
    await stop(server);
    for (const name of readdirSync(server.dataDir)) rmSync(join(server.dataDir, name), { recursive: true });
    copy(saved, server.dataDir);
    await server.start();
    // Another session has raised it, and every group demands it.
    await end.query(`UPDATE tidelock.routes SET epoch = ${route?.epoch}`);
    const usedUs = serverCpuUs(server.pid);
    const beganMs = performance.now();
    if (server instanceof MysqlServer) await replayMysql(server, sent);
    else await replayPostgres(server.port, sent);
    return { ms: performance.now() - beganMs, targetCpuUs: serverCpuUs(server.pid) - usedUs };
  } finally {
    rmSync(saved, { recursive: true, force: true });
  }
}

/** With their owners: a server of PostgreSQL is not root's. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', `${from}/.`, to]);
}

/** Of the session that rows went over, which has sent the most. */
async function recorded(server: TargetServer, round: (port: number) => Promise<void>): Promise<Uint8Array> {
  await using link = await recordingLink(server.port);
  await round(link.port);
  const [largest] = (await link.sent()).toSorted((a, b) => b.length - a.length);
  if (largest === undefined) throw new Error('the round went past the link');
  return largest;
}

async function stop(server: TargetServer): Promise<void> {
  if (server instanceof MysqlServer) await server.stop();
  else await server.stop('fast');
}
