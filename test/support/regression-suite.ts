import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../src/demo/mysql/cache-folder.ts';
import { unpackedCommand } from '../../src/demo/mysql/unpacked-command.ts';
import type { TestDatabase } from './postgres.ts';
import { findBinaries } from './postgres-binaries.ts';

/** The version whose suite Debian's packages have: its scripts are of one version, and so is the server that they are given to. */
export const regressionVersion = '15';
export const regressionSource = { suite: 'bookworm', package: `postgresql-${regressionVersion}` } as const;
export const regressionClient = { suite: 'bookworm', package: `postgresql-client-${regressionVersion}` } as const;

export interface RegressionSuite {
  /** `src/test/regress` of PostgreSQL's source. */
  readonly folder: string;
  /** How psql is started. */
  readonly psql: readonly string[];
}

/**
 * PostgreSQL's own regression suite: TIDELOCK_TEST_REGRESS (its folder `src/test/regress`, with a psql in the PATH), else that of the cache
 * (`node test/support/fetch-regression.ts`). Null where one of both, or a server of its version, is missing.
 */
export function findRegressionSuite(): RegressionSuite | null {
  if (findBinaries(regressionVersion) === null) return null;
  const given = process.env.TIDELOCK_TEST_REGRESS;
  if (given !== undefined) return { folder: given, psql: ['psql'] };
  const newest = (pattern: string): string | undefined => globSync(pattern, { cwd: cacheFolder() }).sort().at(-1);
  const folder = newest(`postgres-source-*/*/src/test/regress/parallel_schedule`);
  const program = `usr/lib/postgresql/${regressionVersion}/bin/psql`;
  const client = newest(`postgres-client-*/${program}`);
  if (folder === undefined || client === undefined) return null;
  return {
    folder: join(cacheFolder(), folder, '..'),
    psql: unpackedCommand(join(cacheFolder(), client.slice(0, -program.length)), program),
  };
}

/** The scripts in the order in which they build upon each other. */
export function scheduled({ folder }: RegressionSuite): readonly string[] {
  const lines = readFileSync(join(folder, 'parallel_schedule'), 'utf8').matchAll(/^test: (.*)$/gm);
  return [...lines].flatMap(([, names = '']) => names.trim().split(/\s+/));
}

const longestMs = 300_000;

/** As pg_regress does; what a script says is of no matter, since many of its commands are to fail. Returns its output. */
export async function runScript(
  { folder, psql: [program = '', ...options] }: RegressionSuite,
  { server, name: database }: TestDatabase,
  script: string,
): Promise<string> {
  const env = {
    ...process.env,
    ...{ PGHOST: '127.0.0.1', PGPORT: String(server.port), PGUSER: 'postgres', PGDATABASE: database },
    ...{ PGTZ: 'PST8PDT', PGDATESTYLE: 'Postgres, MDY', PGOPTIONS: '-c intervalstyle=postgres_verbose' },
    // There is no library of C functions: what needs one is refused.
    ...{ PG_ABS_SRCDIR: folder, PG_ABS_BUILDDIR: '/nonexistent', PG_LIBDIR: '/nonexistent', PG_DLSUFFIX: '.so' },
  };
  const hidden = ['-v', 'HIDE_TABLEAM=on', '-v', 'HIDE_TOAST_COMPRESSION=on'];
  const file = join(folder, 'sql', `${script}.sql`);
  const child = spawn(program, [...options, '-X', '-a', '-q', ...hidden, '-f', file], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMs,
  });
  const pieces: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  return Buffer.concat(pieces).toString('latin1');
}
