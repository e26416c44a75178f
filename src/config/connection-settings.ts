import { dirname, resolve } from 'node:path';
import type { ConnectionSettings } from '../core/route.ts';
import { type Located, type Path, placeOf } from './located.ts';
import { readPem } from './pem.ts';
import type { Problems } from './problem.ts';
import { ReferenceProblem } from './references.ts';
import type { NodeData } from './schema/node-schema.ts';
import { AddressProblem, addressForms, type Host, isLoopback, parseHost, parseServerUrl } from './server-url.ts';

interface Context {
  readonly node: Located;
  readonly path: Path;
  readonly problems: Problems;
  /** The working directory; null at load time, when files are not read: they may only be there where the route runs. */
  readonly filesFrom: string | null;
}

/** How to reach the node, from its resolved keys; null where something is wrong with them. */
export function connectionSettings(data: NodeData, context: Context): ConnectionSettings | null {
  const address = readAddress(data, context);
  if (address === null) return null;
  const complain = (key: string, message: string): null => {
    problem(context, [key], message);
    return null;
  };
  const { defaultPort, hasDatabase } = addressForms[data.type];
  const hosts = address.hosts.map(({ host, port }) => ({ host, port: port ?? data.port ?? defaultPort }));
  if (hosts.length === 0) return complain(data.url === undefined ? 'hosts' : 'url', 'names no host');
  const database = address.database ?? data.database ?? (hasDatabase ? undefined : '');
  if (database === undefined) return complain('database', 'is required');
  if (database !== '' && !hasDatabase)
    return complain('database', 'is not wanted: the node is the whole server, and tables are database.table');
  const user = address.user ?? data.user;
  if (user === undefined) return complain('user', 'is required');
  const tls = tlsSettings(
    data,
    hosts.every(({ host }) => isLoopback(host)),
    context,
  );
  if (tls === null) return null;
  return { hosts, database, user, password: address.password ?? data.password, tls };
}

interface Address {
  readonly hosts: readonly Host[];
  readonly database: string | null;
  readonly user: string | null;
  readonly password: string | null;
}

function readAddress(data: NodeData, context: Context): Address | null {
  if (data.url === undefined) {
    if (data.hosts === undefined) {
      const { hasDatabase } = addressForms[data.type];
      problem(context, [], `wants either url, or hosts, ${hasDatabase ? 'database ' : ''}and user`);
      return null;
    }
    const hosts = data.hosts.map((text, index) => guarded(context, ['hosts', index], () => parseHost(text)));
    return hosts.includes(null)
      ? null
      : { hosts: hosts.filter((host) => host !== null), database: null, user: null, password: null };
  }
  const { url } = data;
  const address = guarded(context, ['url'], () => parseServerUrl(url, addressForms[data.type]));
  if (address === null) return null;
  const doubled = (['hosts', 'port', 'database', 'user', 'password'] as const).filter(
    (key) => data[key] !== undefined && (key === 'hosts' || key === 'port' || address[key] !== null),
  );
  for (const key of doubled) problem(context, [key], 'is also in url; keep one of the two');
  return doubled.length > 0 ? null : address;
}

function tlsSettings(data: NodeData, loopback: boolean, context: Context): ConnectionSettings['tls'] | null {
  const mode = data.tls?.mode ?? (loopback ? 'off' : 'verifyFull');
  const files = (['ca', 'cert', 'key'] as const).filter((key) => data.tls?.[key] !== undefined);
  const complain = (message: string): null => {
    problem(context, ['tls'], message);
    return null;
  };
  if (mode === 'off' && files.length > 0) return complain(`the mode is off, so that ${files.join(', ')} has no effect`);
  if (mode === 'encrypt' && files.includes('ca'))
    return complain('the mode encrypt verifies nothing, so that ca has no effect');
  if (files.includes('cert') !== files.includes('key')) return complain('cert and key belong together');
  const tls: { mode: typeof mode; ca?: string; cert?: string; key?: string } = { mode };
  for (const key of files) {
    const value = data.tls?.[key];
    const { filesFrom } = context;
    if (value === undefined || filesFrom === null) continue;
    const folder = resolve(filesFrom, dirname(placeOf(context.node, ['tls', key]).file));
    const pem = guarded(context, ['tls', key], () => readPem(value, folder));
    if (pem === null) return null;
    tls[key] = pem;
  }
  return tls;
}

function guarded<T>(context: Context, path: Path, action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (error instanceof AddressProblem) problem(context, path, error.message);
    else if (error instanceof ReferenceProblem) problem(context, path, error.message, 'reference');
    else throw error;
    return null;
  }
}

function problem(context: Context, path: Path, message: string, kind: 'invalid' | 'reference' = 'invalid'): void {
  const place = placeOf(context.node, path);
  context.problems.add({ kind, place, path: [...context.path, ...path], message });
}
