/** Why an address is refused. Never quotes it: it may hold a password. */
export class AddressProblem extends Error {}

export interface Host {
  readonly host: string;
  readonly port: number | null;
}

export interface ServerAddress {
  readonly hosts: readonly Host[];
  readonly database: string | null;
  readonly user: string | null;
  readonly password: string | null;
}

/** How addresses of one kind of server are written. */
export interface AddressForm {
  readonly schemes: readonly string[];
  readonly example: string;
  readonly defaultPort: number;
  /** A node is one database of its server; else it is the whole server, whose tables are named with their databases. */
  readonly hasDatabase: boolean;
}

const mysqlForm = { schemes: ['mysql', 'mariadb'], defaultPort: 3306, hasDatabase: false } as const;

export const addressForms = {
  postgres: {
    schemes: ['postgres', 'postgresql'],
    example: 'postgres://user:password@host:port/database',
    defaultPort: 5432,
    hasDatabase: true,
  },
  mysql: { ...mysqlForm, example: 'mysql://user:password@host:port' },
  mariadb: { ...mysqlForm, example: 'mariadb://user:password@host:port' },
} as const satisfies Record<string, AddressForm>;

/** Parameters of libpq, and of MySQL's clients, that have a key of their own here. */
const parameterKeys: Readonly<Record<string, string>> = {
  sslmode: 'tls.mode (disable: off, require: encrypt, verify-ca: verifyCa, verify-full: verifyFull)',
  'ssl-mode': 'tls.mode (DISABLED: off, REQUIRED: encrypt, VERIFY_CA: verifyCa, VERIFY_IDENTITY: verifyFull)',
  sslrootcert: 'tls.ca',
  'ssl-ca': 'tls.ca',
  sslcert: 'tls.cert',
  'ssl-cert': 'tls.cert',
  sslkey: 'tls.key',
  'ssl-key': 'tls.key',
  ssl: 'tls.mode',
};

/** WHATWG's URL takes no list of hosts, which these addresses may have; so they are read here. */
export function parseServerUrl(url: string, { schemes, example, hasDatabase }: AddressForm): ServerAddress {
  const match = /^([a-z]+):\/\/(?:([^/?#@]*)@)?([^/?#@]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/.exec(url);
  if (match === null || !schemes.includes(match[1] ?? ''))
    throw new AddressProblem(`wants ${example}; / ? # @ : inside of a part are percent-encoded`);
  const [, , login, hosts = '', database, parameters] = match;
  if (database && !hasDatabase)
    throw new AddressProblem(
      'names a database: leave it out, the node is the whole server and tables are database.table',
    );
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
