import pg from 'pg';
import { nodeErrors } from '../../src/core/errors/catalogue/node.ts';
import { fail, TidelockError } from '../../src/core/errors/tidelock-error.ts';
import type { ConnectionSettings, NodeDefinition } from '../../src/core/route.ts';
import { classifyPostgresError } from './classify-error.ts';
import { oldestServer, serverVersion } from './server-version.ts';

/**
 * Session settings under which every value has exactly one text form, the same at both sides: what one session writes
 * as text another reads back without loss. As PostgreSQL's own apply worker, names are only looked up in pg_catalog,
 * so that everything is named in full.
 */
const canonicalSettings: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmloption: 'content',
  lc_monetary: 'C',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  // Where a policy would hide rows the server refuses instead: nothing is left out silently.
  row_security: 'off',
  // Where the server can compile queries (Debian's, most managed ones) it does so with those of the catalogue, which look costly to it: measured
  // over 500 tables 18 s instead of 0.4 s.
  jit: 'off',
};

export interface PostgresSessionOptions {
  /** Shown in pg_stat_activity; how leftover sessions of a route are found and ended. At most 63 bytes. */
  readonly applicationName: string;
  readonly pipeline?: boolean;
  /** Further session settings (they are literals of ours, never a user's text). */
  readonly settings?: Readonly<Record<string, string>>;
  /** Settings that stay what the server, the database or the user has. */
  readonly own?: readonly string[];
}

/** For pg.Client, also for a replication connection: the settings travel in the startup message. */
export function clientConfig(
  settings: ConnectionSettings,
  host: { readonly host: string; readonly port: number },
  options: PostgresSessionOptions,
): pg.ClientConfig & { pipeline?: boolean } {
  const all = { ...canonicalSettings, ...options.settings };
  return {
    host: host.host,
    port: host.port,
    database: settings.database,
    user: settings.user,
    password: settings.password ?? '',
    application_name: options.applicationName,
    options: Object.entries(all)
      .filter(([name]) => options.own?.includes(name) !== true)
      .map(([name, value]) => `-c ${name}=${value.replaceAll(/([\\ ])/g, '\\$1')}`)
      .join(' '),
    ssl: tlsOptions(settings, host.host),
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    pipeline: options.pipeline ?? false,
  };
}

function tlsOptions(settings: ConnectionSettings, host: string): pg.ClientConfig['ssl'] {
  const { mode, ca, cert, key } = settings.tls;
  if (mode === 'off') return false;
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  if (mode === 'encrypt') return { ...files, rejectUnauthorized: false };
  if (mode === 'verifyCa') return { ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  return { ...files, rejectUnauthorized: true, servername: host };
}

/** A connected client whose driver errors are TidelockErrors; an error while it idles is kept for its next query. */
export async function connectPostgres(node: NodeDefinition, options: PostgresSessionOptions): Promise<pg.Client> {
  return await connectFirst(node, (settings, host) => clientConfig(settings, host, options));
}

type Host = ConnectionSettings['hosts'][number];

/**
 * Each host in its order until one takes the session. A standby is passed over, since heartbeats, marks and rows are written: after a failover the next
 * in the list is the one. So it is where there is one address alone (of a balancer, or a name that moves): in a failover it leads to a server
 * that is a standby for a moment longer, whose catalogue may be behind, too.
 */
export async function connectFirst(
  node: NodeDefinition,
  configOf: (settings: ConnectionSettings, host: Host) => pg.ClientConfig,
): Promise<pg.Client> {
  const settings = node.connection();
  let last: unknown;
  let address = '';
  for (const host of settings.hosts) {
    const config = configOf(settings, host);
    const client = new pg.Client(config);
    // Without a listener a connection that breaks while idle would end the process; the next query reports it.
    client.on('error', () => {});
    const isStandby = watchStandby(client.connection);
    address = `${host.host}:${host.port}`;
    try {
      await client.connect();
      if (!isStandby()) return client;
      last = standby(node, address);
    } catch (error) {
      last = (error as pg.DatabaseError).code === unknownSetting ? await tooOld(node, config, error) : error;
    }
    await client.end().catch(() => {});
  }
  throw last instanceof TidelockError ? last : classifyPostgresError(last, node.name, address);
}

/** `unrecognized configuration parameter`: settings of the session came with newer servers than the one that answers. */
const unknownSetting = '42704';

/** A server that is too old says so by the settings that it does not know, before it tells its version. */
async function tooOld(node: NodeDefinition, config: pg.ClientConfig, error: unknown): Promise<unknown> {
  const client = new pg.Client({ ...config, options: undefined });
  client.on('error', () => {});
  try {
    await client.connect();
    const version = await serverVersion(client);
    if (version.number >= oldestServer.number) return error;
    return fail(nodeErrors.unsupportedVersion, { node: node.name, version: version.text, oldest: oldestServer.text });
  } catch {
    return error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** What the next host is tried for; where there is none, the servers are asked again later. */
export function standby(node: NodeDefinition, address: string): TidelockError {
  return fail(nodeErrors.interrupted, { node: node.name, sqlState: '25006', message: `${address} is a standby` });
}

/** Before it connects: the server tells it while the session starts. */
export function watchStandby(connection: pg.Connection): () => boolean {
  let value = 'off';
  connection.on('parameterStatus', (message: { readonly parameterName: string; readonly parameterValue: string }) => {
    if (message.parameterName === 'in_hot_standby') value = message.parameterValue;
  });
  return () => value === 'on';
}
