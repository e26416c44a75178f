import type { Finding } from '../../../src/core/finding.ts';
import type { ClockOffset, NodeUse } from '../../../src/core/node-inspector.ts';
import { durationText } from '../../../src/core/quantity-text.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { queueNames } from '../source/queue-names.ts';
import type { ServerFacts } from './server-facts.ts';

type Found = Omit<Finding, 'node'>;

/** Of a route that runs: the stream, its catalogue and heartbeats at the source; apply, control and lease at the target. */
const sessionsPerSource = 4;
const sessionsPerTarget = 4;

const longTransactionSeconds = 600;
const shortSenderTimeoutMs = 10_000;
const clockLimitMs = 2_000;

export interface ServerCheck {
  readonly node: NodeDefinition;
  readonly use: NodeUse;
  readonly facts: ServerFacts;
  readonly clock: ClockOffset;
}

/** What concerns the server, and all routes of the configuration that use it together. */
export function checkServerFacts(check: ServerCheck): Found[] {
  return [
    identity(check),
    ...pending(check),
    ...unsafe(check),
    ...limits(check),
    ...sessionSettings(check),
    ...encryption(check),
    ...clockFound(check),
    ...(check.use.sources.length > 0 ? [...retention(check), ...openTransactions(check), ...largeObjects(check)] : []),
  ];
}

function identity({ facts, clock }: ServerCheck): Found {
  const tls = facts.tls.version === null ? 'not encrypted' : `${facts.tls.version} (${facts.tls.cipher})`;
  return {
    level: 'info',
    code: 'node.server',
    message: `PostgreSQL ${facts.version}, connection ${tls}, clock ${signed(clock.offsetMs)} against this host (±${Math.ceil(clock.errorMs)} ms)`,
    remedy: '',
  };
}

const signed = (ms: number): string => `${Math.round(ms) < 0 ? '-' : '+'}${durationText(Math.abs(ms))}`;

function pending({ facts }: ServerCheck): Found[] {
  if (facts.pendingRestart.length === 0) return [];
  return [
    {
      level: 'warning',
      code: 'node.pendingRestart',
      message: `${facts.pendingRestart.join(', ')}: changed, and without effect until the server is restarted`,
      remedy: 'Restart the server at a time that suits its applications.',
    },
  ];
}

/** One route that does not fit is told by its own preflight; here are those that do not fit together. */
function unsafe({ facts: { unsafeSettings }, use }: ServerCheck): Found[] {
  if (unsafeSettings.length === 0) return [];
  const isSource = use.sources.length > 0;
  return [
    {
      level: 'warning',
      code: 'node.unsafeSettings',
      message: `${unsafeSettings.join(' and ')} off: after a crash of its host the server may have lost or damaged what was committed, ${
        isSource ? 'also what is at the target by then' : 'also what was acknowledged to the source by then'
      }`,
      remedy: 'Switch on, where the data matters. After such a crash load or compare the tables of its routes anew.',
      statement: `${unsafeSettings.map((name) => `ALTER SYSTEM SET ${name} = on;`).join(' ')} SELECT pg_reload_conf();`,
    },
  ];
}

function limits({ use, facts, node }: ServerCheck): Found[] {
  const found: Found[] = [];
  const there = new Set(facts.slots);
  const names = use.sources.map(queueNames);
  const newSlots = names.filter(({ slot, ownsSlot }) => ownsSlot && !there.has(slot)).length;
  const freeSlots = facts.maxSlots - facts.slots.length;
  if (newSlots > freeSlots && freeSlots > 0)
    found.push(
      full('node.slots', {
        what: `${newSlots} routes want a new replication slot and ${freeSlots} are free`,
        setting: 'max_replication_slots',
        value: facts.maxSlots + newSlots - freeSlots,
      }),
    );
  // Each streams, and one at a time makes its queue.
  const newSenders = newSlots + (newSlots > 0 ? 1 : 0);
  const freeSenders = facts.maxSenders - facts.senders;
  if (newSenders > freeSenders && freeSenders >= 2)
    found.push(
      full('node.walSenders', {
        what: `${newSlots} routes want a walsender each, one more is used while a queue is made, and ${freeSenders} are free`,
        setting: 'max_wal_senders',
        value: facts.maxSenders + newSenders - freeSenders,
      }),
    );
  const sessions = use.sources.length * sessionsPerSource + use.targets.length * sessionsPerTarget;
  const free = facts.maxSessions - facts.sessions + facts.roleSessions;
  if (sessions > free)
    found.push({
      ...full('node.connections', {
        what: `the routes use up to ${sessions} connections and ${free} are free`,
        setting: 'max_connections',
        value: facts.maxSessions + sessions - free + 10,
      }),
      level: 'warning',
    });
  if (facts.roleLimit >= 0 && sessions > facts.roleLimit) {
    const user = quoteIdentifier(node.connection().user);
    found.push({
      level: 'error',
      code: 'node.roleConnections',
      message: `the routes use up to ${sessions} connections and user ${user} may have ${facts.roleLimit}`,
      remedy: 'Allow it more.',
      statement: `ALTER ROLE ${user} CONNECTION LIMIT ${sessions + 5};`,
    });
  }
  return found;
}

function full(code: string, { what, setting, value }: { what: string; setting: string; value: number }): Found {
  return {
    level: 'error',
    code,
    message: what,
    remedy: 'Raise the setting and restart the server.',
    statement: `ALTER SYSTEM SET ${setting} = ${value};`,
  };
}

/** Tidelock sets these at the start of each session; what stands between may drop them. */
function sessionSettings({ facts, node }: ServerCheck): Found[] {
  const { searchPath, statementTimeout, idleTimeout } = facts.session;
  const found: Found[] = [];
  if (searchPath !== 'pg_catalog' || statementTimeout !== '0' || idleTimeout !== '0')
    found.push({
      level: 'error',
      code: 'node.sessionSettings',
      message: `the session has not the settings that it was opened with (search_path is ${searchPath}, statement_timeout ${statementTimeout}, idle_in_transaction_session_timeout ${idleTimeout})`,
      remedy: 'Connect to the server itself and not through a pooler: Tidelock needs its sessions as it opens them.',
    });
  if (facts.transactionTimeoutMs > 0) {
    const user = quoteIdentifier(node.connection().user);
    found.push({
      level: 'warning',
      code: 'node.transactionTimeout',
      message: `transaction_timeout ends every transaction after ${facts.transactionTimeoutMs / 1000} s, loads and large transactions too`,
      remedy: "Switch it off for Tidelock's user.",
      statement: `ALTER ROLE ${user} SET transaction_timeout = 0;`,
    });
  }
  return found;
}

function encryption({ node, facts }: ServerCheck): Found[] {
  const { hosts, tls } = node.connection();
  const isLocal = hosts.every(({ host }) => /^(localhost|127\.|::1$|\/)/.test(host));
  if (isLocal) return [];
  if (facts.tls.version === null)
    return [
      {
        level: 'warning',
        code: 'node.tls',
        message: 'rows and the password of the user cross the network unencrypted (tls.mode is off)',
        remedy: 'Set tls: { mode: verifyFull, ca: FILE } for the node.',
      },
    ];
  if (tls.mode !== 'encrypt') return [];
  return [
    {
      level: 'warning',
      code: 'node.tls',
      message: 'the connection is encrypted, and nobody looks at whose certificate it is (tls.mode is encrypt)',
      remedy: 'Set tls: { mode: verifyFull, ca: FILE } for the node.',
    },
  ];
}

function clockFound({ clock }: ServerCheck): Found[] {
  if (Math.abs(clock.offsetMs) - clock.errorMs <= clockLimitMs) return [];
  return [
    {
      level: 'warning',
      code: 'node.clock',
      message: `the clock of the server and that of this host are ${durationText(Math.abs(clock.offsetMs))} apart: times in logs do not match, and leases seem longer or shorter`,
      remedy: 'Let both hosts follow a time server (chrony, systemd-timesyncd).',
    },
  ];
}

function retention({ use, facts, node }: ServerCheck): Found[] {
  const found: Found[] = [];
  if (facts.keepSizeBytes >= 0)
    for (const { name, limits: of } of use.sources)
      if (of.retained.criticalBytes >= facts.keepSizeBytes)
        found.push({
          level: 'warning',
          code: 'node.keepSizeLimit',
          message: `route ${name} is lost when ${size(facts.keepSizeBytes)} are kept for it (max_slot_wal_keep_size), before its limits.retained.critical of ${size(of.retained.criticalBytes)} says so`,
          remedy: `Lower limits.retained of the route, or let the server keep more.`,
          statement: `ALTER SYSTEM SET max_slot_wal_keep_size = '${Math.ceil((of.retained.criticalBytes * 2) / 1_048_576)}MB'; SELECT pg_reload_conf();`,
        });
  if (facts.idleSlotTimeoutMs > 0)
    found.push({
      level: 'warning',
      code: 'node.idleSlotTimeout',
      message: `a route that is stopped for ${Math.round(facts.idleSlotTimeoutMs / 60_000)} minutes is lost (idle_replication_slot_timeout)`,
      remedy: 'Switch it off, or never let a route rest so long.',
      statement: 'ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();',
    });
  if (facts.senderTimeoutMs > 0 && facts.senderTimeoutMs < shortSenderTimeoutMs)
    found.push({
      level: 'warning',
      code: 'node.senderTimeout',
      message: `wal_sender_timeout is ${facts.senderTimeoutMs} ms: a short hiccup of the network ends the stream`,
      remedy: "Give Tidelock's user the default.",
      statement: `ALTER ROLE ${quoteIdentifier(node.connection().user)} SET wal_sender_timeout = '60s';`,
    });
  return found;
}

/** A slot begins when every transaction that wrote before it has ended. */
function openTransactions({ use, facts }: ServerCheck): Found[] {
  const there = new Set(facts.slots);
  const waits = use.sources.map(queueNames).some(({ slot, ownsSlot }) => ownsSlot && !there.has(slot));
  if (!waits) return [];
  const found: Found[] = [];
  const { oldestTransaction: oldest, preparedTransactions: prepared } = facts;
  if (oldest !== null && oldest.seconds >= longTransactionSeconds)
    found.push({
      level: 'warning',
      code: 'node.longTransaction',
      message: `a transaction of process ${oldest.pid} has been open for ${Math.round(oldest.seconds / 60)} minutes: a new route begins when it has ended`,
      remedy: 'End it, or wait.',
      statement: `SELECT pg_terminate_backend(${oldest.pid});`,
    });
  if (prepared > 0)
    found.push({
      level: 'warning',
      code: 'node.preparedTransactions',
      message: `${prepared} prepared transactions are open: a new route begins when they have ended`,
      remedy: 'Commit or roll back those that nobody will end (SELECT * FROM pg_prepared_xacts).',
    });
  return found;
}

function largeObjects({ facts }: ServerCheck): Found[] {
  if (!facts.largeObjects) return [];
  return [
    {
      level: 'warning',
      code: 'node.largeObjects',
      message: 'the database has large objects: they are not in the change queue, only the oids that point to them are',
      remedy: 'Keep such values in bytea columns, or carry the large objects by other means.',
    },
  ];
}

function size(bytes: number): string {
  return bytes >= 1e9 ? `${Math.round(bytes / 1e8) / 10} GB` : `${Math.round(bytes / 1e5) / 10} MB`;
}
