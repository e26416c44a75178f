import type pg from 'pg';

/** What a server says of itself, as far as any user may ask. */
export interface ServerFacts {
  readonly version: string;
  readonly maxSlots: number;
  readonly slots: readonly string[];
  readonly maxSenders: number;
  readonly senders: number;
  /** That this user may open, all in all. */
  readonly maxSessions: number;
  readonly sessions: number;
  /** -1: no limit of the role's or the database's own. */
  readonly roleLimit: number;
  readonly roleSessions: number;
  /** Settings that were changed and count from the next restart on. */
  readonly pendingRestart: readonly string[];
  /** Of fsync and full_page_writes those that are off: what is committed may be gone or damaged after a crash of the host. */
  readonly unsafeSettings: readonly string[];
  /** -1: unlimited. */
  readonly keepSizeBytes: number;
  /** PostgreSQL 18; 0: off. */
  readonly idleSlotTimeoutMs: number;
  readonly senderTimeoutMs: number;
  /** PostgreSQL 17; 0: off. */
  readonly transactionTimeoutMs: number;
  /** Of the session, since a pooler may have left out what it was asked for: search path, statement and idle time-outs. */
  readonly session: { readonly searchPath: string; readonly statementTimeout: string; readonly idleTimeout: string };
  readonly tls: { readonly version: string | null; readonly cipher: string | null };
  readonly largeObjects: boolean;
  /** The oldest transaction that writes and is open: a queue begins when it has ended. */
  readonly oldestTransaction: { readonly pid: number; readonly seconds: number } | null;
  readonly preparedTransactions: number;
}

const query = `
  WITH setting AS (SELECT name, setting, unit FROM pg_settings)
  SELECT current_setting('server_version') AS version,
    current_setting('max_replication_slots')::int AS "maxSlots",
    ARRAY(SELECT slot_name::text FROM pg_replication_slots) AS slots,
    current_setting('max_wal_senders')::int AS "maxSenders",
    (SELECT count(*)::int FROM pg_stat_replication) AS senders,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - COALESCE(current_setting('reserved_connections', true)::int, 0) AS "maxSessions",
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS sessions,
    (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS "roleLimit",
    (SELECT count(*)::int FROM pg_stat_activity WHERE usename = current_user AND backend_type = 'client backend') AS "roleSessions",
    ARRAY(SELECT name::text FROM pg_settings WHERE pending_restart ORDER BY 1) AS "pendingRestart",
    ARRAY(SELECT name::text FROM setting WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY 1) AS "unsafeSettings",
    (SELECT CASE setting WHEN '-1' THEN -1 ELSE setting::float8 * 1048576 END FROM setting WHERE name = 'max_slot_wal_keep_size') AS "keepSizeBytes",
    COALESCE((SELECT setting::float8 * 1000 FROM setting WHERE name = 'idle_replication_slot_timeout'), 0) AS "idleSlotTimeoutMs",
    (SELECT setting::float8 FROM setting WHERE name = 'wal_sender_timeout') AS "senderTimeoutMs",
    COALESCE((SELECT setting::float8 FROM setting WHERE name = 'transaction_timeout'), 0) AS "transactionTimeoutMs",
    json_build_object('searchPath', current_setting('search_path'), 'statementTimeout', current_setting('statement_timeout'),
      'idleTimeout', current_setting('idle_in_transaction_session_timeout')) AS session,
    (SELECT json_build_object('version', version, 'cipher', cipher) FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls,
    EXISTS (SELECT FROM pg_largeobject_metadata) AS "largeObjects",
    (SELECT json_build_object('pid', pid, 'seconds', floor(extract(epoch FROM now() - xact_start))::int) FROM pg_stat_activity
     WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1) AS "oldestTransaction",
    (SELECT count(*)::int FROM pg_prepared_xacts) AS "preparedTransactions"`;

export async function readServerFacts(client: pg.Client): Promise<ServerFacts> {
  const { rows } = await client.query(query);
  return rows[0] as ServerFacts;
}
