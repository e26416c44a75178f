import type { ServerFacts } from '../../server-facts.ts';

/** A variable of the server that has to have one value. */
export interface RequiredSetting {
  readonly name: string;
  readonly value: string;
  readonly code: string;
  /** What is lost, or can't be told, with another value. */
  readonly why: string;
  /** Sessions that have begun before keep theirs. */
  readonly ofSessions?: true;
  /** The name that it can be allowed by at the node. */
  readonly allowedBy?: 'sourceMayForget';
  /** It takes a restart. */
  readonly atStart?: true;
  /** Where neither a statement nor a restart sets it. */
  readonly remedy?: string;
}

const common: readonly RequiredSetting[] = [
  {
    name: 'log_bin',
    value: 'ON',
    code: 'source.logBin',
    why: 'there is no binlog to read changes from',
    atStart: true,
  },
  {
    name: 'binlog_format',
    value: 'ROW',
    code: 'source.binlogFormat',
    why: 'what a statement changes would be logged as its text',
    ofSessions: true,
  },
  {
    name: 'binlog_row_image',
    value: 'FULL',
    code: 'source.rowImage',
    why: 'rows would be logged without some of their columns',
    ofSessions: true,
  },
  {
    name: 'binlog_row_metadata',
    value: 'FULL',
    code: 'source.rowMetadata',
    why: 'names, signs, charsets and members of columns would be missing in the binlog',
  },
  {
    name: 'sync_binlog',
    value: '1',
    code: 'source.syncBinlog',
    why: 'after a crash the server can have forgotten transactions that are at the target',
    allowedBy: 'sourceMayForget',
  },
  {
    name: 'innodb_flush_log_at_trx_commit',
    value: '1',
    code: 'source.flushAtCommit',
    why: 'after a crash the server can have forgotten transactions that are at the target',
    allowedBy: 'sourceMayForget',
  },
  {
    name: 'lower_case_table_names',
    value: '0',
    code: 'source.lowerCaseNames',
    why: 'a TRUNCATE or ALTER TABLE in the binlog has the name as somebody wrote it, and would not be known for one of the table',
    atStart: true,
    remedy: 'Use a server whose data directory was made with lower_case_table_names = 0: it is the default on Linux.',
  },
];

/** With it off commits become visible in another order than the binlog has. */
const orderCommits: RequiredSetting = {
  name: 'binlog_order_commits',
  value: 'ON',
  code: 'source.orderCommits',
  why: 'transactions would be visible at the source in another order than in its binlog',
};

export function requiredSettings({ vendor }: Pick<ServerFacts, 'vendor'>): readonly RequiredSetting[] {
  return vendor === 'mysql' ? [...common, orderCommits] : common;
}

/** As a person runs it. MariaDB has no SET PERSIST: its configuration has to say the same. */
export function settingStatement(
  { name, value, atStart }: RequiredSetting,
  vendor: ServerFacts['vendor'],
): string | undefined {
  if (atStart) return undefined;
  const text = /^\d+$/.test(value) ? value : `'${value}'`;
  return `SET ${vendor === 'mysql' ? 'PERSIST' : 'GLOBAL'} ${name} = ${text};`;
}
