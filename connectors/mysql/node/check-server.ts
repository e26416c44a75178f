import type { Finding } from '../../../src/core/finding.ts';
import type { ClockOffset } from '../../../src/core/node-inspector.ts';
import { durationText } from '../../../src/core/quantity-text.ts';
import type { MysqlSession } from '../connect.ts';
import type { ServerFacts } from '../server-facts.ts';

type Found = Omit<Finding, 'node'>;

const clockLimitMs = 2_000;
const longTransactionS = 600;

export interface CheckedServer {
  readonly facts: ServerFacts;
  readonly clock: ClockOffset;
}

/** What concerns the server whatever routes use it. */
export async function checkServer(session: MysqlSession, { facts, clock }: CheckedServer): Promise<readonly Found[]> {
  const [cipher] = await session.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
  const tls = cipher?.[1] ? `encrypted (${cipher[1]})` : 'not encrypted';
  const product = facts.vendor === 'mariadb' ? 'MariaDB' : 'MySQL';
  const version = facts.version.split('-')[0] ?? '';
  const offset = `${Math.round(clock.offsetMs) < 0 ? '-' : '+'}${durationText(Math.abs(clock.offsetMs))}`;
  return [
    {
      level: 'info',
      code: 'node.server',
      message: `${product} ${version}, connection ${tls}, clock ${offset} against this host (±${Math.ceil(clock.errorMs)} ms)`,
      remedy: '',
    },
    ...clockFound(clock),
    ...(await longTransactions(session)),
  ];
}

function clockFound({ offsetMs, errorMs }: ClockOffset): Found[] {
  if (Math.abs(offsetMs) - errorMs <= clockLimitMs) return [];
  return [
    {
      level: 'warning',
      code: 'node.clock',
      message: `its clock is ${durationText(Math.abs(offsetMs))} ${offsetMs < 0 ? 'behind' : 'ahead of'} this host's`,
      remedy: 'Let both hosts follow a time server (chrony, systemd-timesyncd).',
    },
  ];
}

/** They hold locks of the tables that a load begins with. Who may not see them is not told. */
async function longTransactions(session: MysqlSession): Promise<Found[]> {
  const rows = await session
    .query(
      `SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) FROM information_schema.innodb_trx
        WHERE TIMESTAMPDIFF(SECOND, trx_started, NOW()) > ${longTransactionS} ORDER BY trx_started LIMIT 1`,
    )
    .catch(() => []);
  const [oldest] = rows;
  if (oldest === undefined) return [];
  return [
    {
      level: 'warning',
      code: 'node.openTransactions',
      message: `a transaction is open for ${oldest[1]} s (connection ${oldest[0]}): it keeps old versions of rows, and locks that a load waits for`,
      remedy: 'Find out what it is for, and end it.',
    },
  ];
}
