/** Why an address is refused. Never quotes it: it may hold a password. */
export class AddressProblem extends Error {}

export interface Host {
  readonly host: string;
  readonly port: number | null;
}

export interface PostgresAddress {
  readonly hosts: readonly Host[];
  readonly database: string | null;
  readonly user: string | null;
  readonly password: string | null;
}

/** Parameters of libpq that have a key of their own here. */
const parameterKeys: Readonly<Record<string, string>> = {
  sslmode: 'tls.mode (disable: off, require: encrypt, verify-ca: verifyCa, verify-full: verifyFull)',
  sslrootcert: 'tls.ca',
  sslcert: 'tls.cert',
  sslkey: 'tls.key',
  ssl: 'tls.mode',
};

/** WHATWG's URL takes no list of hosts, which PostgreSQL's addresses may have; so they are read here. */
export function parsePostgresUrl(url: string): PostgresAddress {
  const match = /^postgres(?:ql)?:\/\/(?:([^/?#@]*)@)?([^/?#@]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/.exec(url);
  if (match === null)
    throw new AddressProblem(
      'wants postgres://user:password@host:port/database; / ? # @ : inside of a part are percent-encoded',
    );
  const [, login, hosts = '', database, parameters] = match;
  for (const parameter of (parameters ?? '').split('&').filter(Boolean)) {
    const name = parameter.split('=', 1)[0] ?? '';
    const key = parameterKeys[name];
    throw new AddressProblem(
      key === undefined ? 'takes no parameters (what follows the ?)' : `takes no ${name}: use ${key}`,
    );
  }
  const colon = login?.indexOf(':') ?? -1;
  const user = login === undefined ? null : decode(colon === -1 ? login : login.slice(0, colon));
  return {
    hosts: hosts === '' ? [] : hosts.split(',').map((host) => parseHost(host, decode)),
    database: database ? decode(database) : null,
    user: user || null,
    password: login === undefined || colon === -1 ? null : decode(login.slice(colon + 1)),
  };
}

/** host, host:port, [IPv6], [IPv6]:port, an IPv6 address on its own, or the directory of a Unix socket. */
export function parseHost(text: string, read: (text: string) => string = (raw) => raw): Host {
  const bracketed = /^\[([0-9a-fA-F:.%]+)\](?::([0-9]+))?$/.exec(text);
  if (bracketed?.[1] !== undefined) return { host: bracketed[1], port: parsePort(bracketed[2]) };
  if (text.startsWith('/') || (text.match(/:/g)?.length ?? 0) > 1) return { host: text, port: null };
  const [host = '', port, ...rest] = text.split(':');
  if (host === '' || /\s/.test(host) || rest.length > 0) throw new AddressProblem('has a host without a name');
  return { host: read(host), port: parsePort(port) };
}

function parsePort(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new AddressProblem('has a port that is no number from 1 to 65535');
  return port;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AddressProblem('has a % that is not followed by two hexadecimal digits; % itself is %25');
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('/') || /^127(\.[0-9]{1,3}){3}$/.test(host);
}
