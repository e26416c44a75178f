/** What can be allowed by name, and where. docs/configuration.md lists them. */
export const allowNames = {
  node: {
    sourceMayForget:
      'MySQL and MariaDB: sync_binlog or innodb_flush_log_at_trx_commit of a source are not 1. After a crash the server may have forgotten transactions that are at the target; the route then halts (TL-3302).',
    targetMayForget:
      'A server of MySQL or MariaDB is written to though innodb_flush_log_at_trx_commit, or with a binlog sync_binlog, is not 1. After a crash of its host it goes back some transactions, rows and position alike; a source that has forgotten them meanwhile can not bring them again.',
  },
  route: {
    targetTriggers:
      'Enabled triggers and cascading foreign keys at target tables act on replicated rows, where the user at the target may not switch them off. What they write may differ from the source.',
    rewrittenTypes:
      'A column type that was changed by writing the table anew (integer to bigint) is taken for a plain cast. That a USING expression has changed the values is not to be seen in the log or the catalogue; without this name such a change halts the route.',
    emptyTarget:
      'With load: { mode: none } target tables may be empty though those of the source are not: only changes from now on are wanted. Without this name the route does not begin.',
    unloggedCascades:
      'MariaDB does not log what a foreign key deletes or changes below a row (CASCADE, SET NULL). The target, which is MySQL or MariaDB, has the same foreign keys with the same actions, and does the same as the rows above change.',
    droppedTables:
      'With ddl: replicate a table of the route that is dropped at the source is dropped at the target, too. Without this name DROP TABLE halts the route.',
    partitionChanges:
      'Partitions that are attached, detached or dropped at the source, whose rows come and go without row events, leave the target as it is.',
  },
  service: {
    openApi: 'The HTTP API listens beyond loopback without a token or without TLS.',
  },
} as const satisfies Record<string, Readonly<Record<string, string>>>;
