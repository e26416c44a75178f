import { errorKind } from '../tidelock-error.ts';

/** Rows stay when a route is dropped, and a load goes into empty tables. */
function beginAnew(route: string): string {
  return `"tidelock drop ${route} --yes", empty its tables at the target, "tidelock start ${route}" (docs/operations.md#restoring-a-database)`;
}

/** TL-3xxx: sources. */
export const sourceErrors = {
  invalidPosition: errorKind<{ text: string }>({
    code: 'TL-3001',
    title: 'Not a position of this source',
    recovery: 'halt',
    message: ({ text }) => `"${text}" is no position of this source`,
    remedy: () => 'Give a position as the source prints it (PostgreSQL: 0/1A2B3C8).',
    explanation:
      'A position was given by a person, or stored by something else than Tidelock, that the source type cannot read.',
  }),
  slotLost: errorKind<{ route: string; slot: string; why: string }>({
    code: 'TL-3101',
    title: 'The change queue no longer has what the route needs',
    recovery: 'resynchronise',
    message: ({ route, slot, why }) => `route ${route}: replication slot ${slot} is lost: ${why}`,
    remedy: ({ route }) => `Begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'The server has removed WAL that the route has not read yet (max_slot_wal_keep_size, or a replaced server). Going on would skip changes without a trace.',
  }),
  slotMissing: errorKind<{ route: string; slot: string }>({
    code: 'TL-3102',
    title: 'The replication slot is not there',
    recovery: 'resynchronise',
    message: ({ route, slot }) => `route ${route}: replication slot ${slot} does not exist at the source`,
    remedy: ({ route }) => `Find out who dropped it. Then begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'Without its slot the source has kept nothing for the route since the checkpoint. A new slot would start later and skip what lies between.',
  }),
  slotUnsuitable: errorKind<{ route: string; slot: string; why: string }>({
    code: 'TL-3103',
    title: 'The replication slot is not one that the route can read',
    recovery: 'halt',
    message: ({ route, slot, why }) => `route ${route}: replication slot ${slot} is not usable: ${why}`,
    remedy: () =>
      'Name a permanent logical slot of plugin pgoutput in the database of the source node. Where a deployment for another database of the server has it, give one of the two another name.',
    explanation: 'The slot is physical or temporary, has another output plugin, or belongs to another database.',
  }),
  slotActive: errorKind<{ route: string; slot: string; pid: string }>({
    code: 'TL-3104',
    title: 'Another session reads the replication slot',
    recovery: 'retry',
    message: ({ route, slot, pid }) => `route ${route}: replication slot ${slot} is in use by server process ${pid}`,
    remedy: () =>
      'Nothing, where it is the session of an engine that has just stopped: the server ends it within wal_sender_timeout. Otherwise find the other reader in pg_stat_replication.',
    explanation: 'A slot has one reader at a time. Tidelock goes on trying.',
  }),
  slotBeyondCheckpoint: errorKind<{ route: string; slot: string; confirmed: string; checkpoint: string }>({
    code: 'TL-3105',
    title: 'The source has already forgotten changes that the target does not have',
    recovery: 'resynchronise',
    message: ({ route, slot, confirmed, checkpoint }) =>
      `route ${route}: replication slot ${slot} starts at ${confirmed}, beyond the target's checkpoint ${checkpoint}: what lies between would be skipped`,
    remedy: ({ route }) =>
      `Begin the route anew: ${beginAnew(route)}. Or accept the slot's position with "tidelock position ${route} --adopt", and bring what lies between with "tidelock repair ${route}", in the order of that page.`,
    explanation:
      'The target was restored from an older copy or failed over to one that lagged, or the slot was made anew or advanced. The server would start at the later position without an error.',
  }),
  sourceReplaced: errorKind<{ route: string; what: string; stored: string; found: string }>({
    code: 'TL-3106',
    title: 'The source is not the database that the checkpoint was made with',
    recovery: 'halt',
    message: ({ route, what, stored, found }) =>
      `route ${route}: the source's ${what} is ${found}, the checkpoint was made with ${stored}`,
    remedy: ({ route }) =>
      `Point the source node to the database that the route was started with, or begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'Positions are only comparable within one database cluster. The node was pointed elsewhere, or its server was replaced by a dump or a fresh initdb.',
  }),
  timelineDiverged: errorKind<{ route: string; stored: string; found: string; checkpoint: string; fork: string }>({
    code: 'TL-3107',
    title: 'The source went back to before the checkpoint when it was promoted or restored',
    recovery: 'resynchronise',
    message: ({ route, stored, found, checkpoint, fork }) =>
      `route ${route}: the source is on timeline ${found}, which left timeline ${stored} at ${fork}; the checkpoint ${checkpoint} is not part of it`,
    remedy: ({ route }) =>
      `The target has changes that the source has lost. Compare, then begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'After a failover or a point-in-time recovery the new timeline holds less than what was already applied at the target.',
  }),
  sourceSetBack: errorKind<{ route: string; end: string; checkpoint: string }>({
    code: 'TL-3108',
    title: 'The source ends before the checkpoint',
    recovery: 'resynchronise',
    message: ({ route, end, checkpoint }) =>
      `route ${route}: the source's WAL ends at ${end}, before the target's checkpoint ${checkpoint}: the source was set back`,
    remedy: ({ route }) =>
      `The target has changes that the source has lost. Compare, then begin the route anew: ${beginAnew(route)}.`,
    explanation: 'The source was restored from an older copy of its files, or lost WAL that it had not flushed.',
  }),
  historyDiffers: errorKind<{ route: string; checkpoint: string; expected: string; found: string }>({
    code: 'TL-3109',
    title: "The source's history is not the one that the checkpoint was made with",
    recovery: 'resynchronise',
    message: ({ route, checkpoint, expected, found }) =>
      `route ${route}: the source's history is not the one the checkpoint ${checkpoint} was made with: expected ${expected}, found ${found}`,
    remedy: ({ route }) =>
      `The source was set back and has gone on. Compare, then begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'The last transaction that was applied is no longer where it was in the source’s queue. The source was restored from an older copy on the same timeline and has written other changes since.',
  }),
  publicationMissing: errorKind<{ route: string; publication: string }>({
    code: 'TL-3110',
    title: 'The publication is not there',
    recovery: 'halt',
    message: ({ route, publication }) => `route ${route}: publication ${publication} does not exist at the source`,
    remedy: ({ route }) => `Changes since it was dropped are not published. Begin the route anew: ${beginAnew(route)}.`,
    explanation: 'The publication says which tables the server decodes for the route. It was dropped or renamed.',
  }),
  publicationIncomplete: errorKind<{
    route: string;
    publication: string;
    why: string;
    statement: string;
    /** Labels of those that it does not have, or not whole. */
    tables: readonly string[];
  }>({
    code: 'TL-3111',
    title: 'The publication does not carry everything that the route needs',
    recovery: 'halt',
    message: ({ route, publication, why }) => `route ${route}: publication ${publication} is incomplete: ${why}`,
    remedy: ({ statement }) =>
      `Changes that were not published are missing at the target: compare or load those tables again. Then: ${statement}`,
    explanation:
      'A table was dropped and made anew, was taken out of the publication, or the publication filters rows, columns or operations. A table that was taken out and put back, or filtered for a while, halts once more (TL-4105 or TL-4109), until a person has said that its rows were looked after.',
  }),
  tableMissing: errorKind<{ route: string; table: string }>({
    code: 'TL-3112',
    title: 'A table that the route names is not at the source',
    recovery: 'halt',
    message: ({ route, table }) =>
      `route ${route}: table ${table} does not exist at the source, or cannot be replicated`,
    remedy: () =>
      'Correct the name in the route, or take the table out of it. Only permanent ordinary and partitioned tables are carried.',
    explanation: 'Tables that are named without a glob have to exist.',
  }),
  newTables: errorKind<{ route: string; tables: string }>({
    code: 'TL-3113',
    title: 'Tables have appeared that a glob of the route means',
    recovery: 'halt',
    message: ({ route, tables }) =>
      `route ${route} halted: tables have appeared at the source that its globs mean: ${tables}`,
    remedy: ({ route }) =>
      `Exclude them, or decide with newTables: load copies them (make them at the target first), ignore leaves out all that appear. Then "tidelock apply ${route}", which starts it again.`,
    explanation: 'With newTables: halt a table is never left out without somebody knowing.',
  }),
  newTableUnfit: errorKind<{ route: string; table: string; why: string; statement: string }>({
    code: 'TL-3114',
    title: 'A new table cannot be added to the queue',
    recovery: 'halt',
    message: ({ route, table, why }) => `route ${route}: the new table ${table} can't be added to the queue: ${why}`,
    remedy: ({ route, statement }) =>
      `Run at the source: ${statement} Then "tidelock start ${route}". Or exclude the table.`,
    explanation:
      'Once it is published, updates and deletes of a table without a key would fail at the source. A given publication is not altered by Tidelock.',
  }),
  rowTooLarge: errorKind<{ route: string; table: string; position: string; bytes: number; maxBytes: number }>({
    code: 'TL-3201',
    title: 'A row is larger than maxRowBytes',
    recovery: 'halt',
    message: ({ route, table, position, bytes, maxBytes }) =>
      `route ${route} halted: a row of ${table} in the transaction at ${position} has ${bytes} bytes, apply.maxRowBytes is ${maxBytes}`,
    remedy: () => 'Raise apply.maxRowBytes (the process needs about four times as much memory), or exclude the column.',
    explanation: 'Memory is bounded by the byte budget and four times the largest row that is allowed.',
  }),
  documentUnread: errorKind<{ node: string; table: string; column: string }>({
    code: 'TL-3208',
    title: 'A JSON document is longer than max_allowed_packet',
    recovery: 'halt',
    message: ({ node, table, column }) =>
      `node ${node}: column ${table}.${column} has a JSON document whose text is longer than max_allowed_packet there`,
    remedy: ({ node }) =>
      `Run at ${node}: SET GLOBAL max_allowed_packet = 1073741824. Then start the route, or the job, again; or exclude the column.`,
    explanation:
      'MySQL gives an empty text for such a document, without an error. The change queue has it whole: only a load, a compare or a repair reads it from the table.',
  }),
  valueUnread: errorKind<{ node: string; table: string; column: string; why: string }>({
    code: 'TL-3209',
    title: 'A value of a table can not be told exactly',
    recovery: 'halt',
    message: ({ node, table, column, why }) => `node ${node}: a value of ${table}.${column} can't be carried: ${why}`,
    remedy: () =>
      'Mend the value at the source, or exclude the column from the route. Then start the route, or the job, again.',
    explanation:
      'The value has no text that would give the same value at the target. Guessing would alter it. TL-3307 tells the same of a change of the binlog.',
  }),
  invalidText: errorKind<{ route: string; table: string; column: string; position: string }>({
    code: 'TL-3202',
    title: 'A value is not valid UTF-8',
    recovery: 'halt',
    message: ({ route, table, column, position }) =>
      `route ${route} halted: column ${table}.${column} has a value that is not valid UTF-8, in the transaction at ${position}`,
    remedy: () => 'Mend the value at the source, or exclude the column from the route.',
    explanation:
      'A database of encoding SQL_ASCII stores any bytes without saying which encoding they are in; guessing would alter them.',
  }),
  unreadableChange: errorKind<{ route: string; position: string; why: string }>({
    code: 'TL-3203',
    title: 'The change queue holds something that cannot be read',
    recovery: 'halt',
    message: ({ route, position, why }) => `route ${route} halted: unreadable change at ${position}: ${why}`,
    remedy: () => 'Report it with the version of the server. Nothing was skipped.',
    explanation: 'The server sent a message that is unknown or that contradicts what it sent before.',
  }),
  ddlNotCaptured: errorKind<{ route: string }>({
    code: 'TL-3115',
    title: 'The event triggers that bring DDL commands are missing',
    recovery: 'halt',
    message: ({ route }) =>
      `route ${route}: ddl: replicate needs event triggers at the source, which this user may not create`,
    remedy: ({ route }) =>
      `"tidelock check ${route}" prints the statements for an administrator. Then "tidelock start ${route}".`,
    explanation: 'Only a superuser, or what a managed service has in its place, creates event triggers.',
  }),
  queueInUse: errorKind<{ route: string; slot: string; publication: string }>({
    code: 'TL-3116',
    title: 'The route has a queue already that was not prepared for a copy',
    recovery: 'usage',
    message: ({ route, slot, publication }) =>
      `route ${route}: slot ${slot} or publication ${publication} is there, and not from "tidelock prepare"`,
    remedy: ({ route }) =>
      `Where nothing needs it any more: "tidelock drop ${route} --yes". A route that was loaded has no use for it.`,
    explanation:
      'A copy by other means begins with a queue of its own, and the one of a running route must not be dropped for it.',
  }),
  preparedGiven: errorKind<{ route: string }>({
    code: 'TL-3117',
    title: 'A given queue is prepared by whoever gives it',
    recovery: 'usage',
    message: ({ route }) => `route ${route}: its slot or publication is given, so that Tidelock makes neither`,
    remedy: () =>
      'Make the slot by hand, in a replication session with EXPORT_SNAPSHOT, name it under slot, and copy from its snapshot.',
    explanation: 'What Tidelock notes about a prepared queue stands at the publication, which is not its own here.',
  }),
  preparedMoved: errorKind<{ route: string; why: string }>({
    code: 'TL-3118',
    title: 'The queue that was prepared for a copy does not fit the copy any more',
    recovery: 'resynchronise',
    message: ({ route, why }) => `route ${route}: its queue was prepared for a copy by other means, and ${why}`,
    remedy: ({ route }) =>
      `"tidelock drop ${route} --yes", then "tidelock prepare ${route}" and a new copy (docs/load.md); or load: { mode: initial }.`,
    explanation:
      'A copy by other means is as of one position, and the queue has to hold everything behind it. Where it does not, changes would be missing without a trace.',
  }),
  copiedElsewhere: errorKind<{ route: string; position: string; from: string; to: string }>({
    code: 'TL-3119',
    title: 'The queue does not reach to where the copy stands',
    recovery: 'usage',
    message: ({ route, position, from, to }) =>
      `route ${route}: a copy as of ${position} can't be gone on from: the queue begins at ${from}, and the log of the source ends at ${to}`,
    remedy: () => 'Make the copy after "tidelock prepare", and give the position that its server has replayed to.',
    explanation: 'What was committed before the queue was made is in no queue.',
  }),
  queueBeingMade: errorKind<{ route: string }>({
    code: 'TL-3120',
    title: 'Somebody else is making the queue of the route',
    recovery: 'retry',
    message: ({ route }) => `route ${route}: its queue is being made by another command or engine at this moment`,
    remedy: () =>
      'Wait for it to end. It may be waiting for transactions that are open at the source (pg_stat_activity).',
    explanation:
      'Whoever makes a queue drops what an earlier attempt has left: two at once would drop it of each other.',
  }),
  queueAwaited: errorKind<{ route: string; node: string; pid: number }>({
    code: 'TL-3121',
    title: 'COMMITs wait for a route that can not begin before they end',
    recovery: 'retry',
    message: ({ route, node, pid }) =>
      `route ${route}: its queue is made when open transactions have ended, and a COMMIT at ${node} (server process ${pid}) waits for a synchronous standby, as which the route is named`,
    remedy: ({ route }) =>
      `Take ${route} out of synchronous_standby_names until it runs: ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf(); The route then begins by itself. Set the name again when "tidelock status ${route}" says running (docs/operations.md#synchronous-replication).`,
    explanation:
      'synchronous_standby_names holds up each COMMIT from the moment on that it is set, and a slot is only made when the transactions have ended that were open before. A route that does not run yet can confirm nothing: what it would confirm is at no target.',
  }),
  readWhole: errorKind<{ route: string; why: string }>({
    code: 'TL-3122',
    title: 'A large transaction is read again, whole',
    recovery: 'retry',
    message: ({ route, why }) =>
      `route ${route}: what was read before its commit had come is read again, whole: ${why}`,
    remedy: () => 'Nothing: what was written of it was rolled back, and it comes again once its commit was read.',
    explanation:
      'In a backlog PostgreSQL sends a large transaction while it decodes it. Where another transaction comes between its parts, where it or a part of it was rolled back, or where the route would halt at it, the parts are rolled back at the target and read once more, in order of the commits.',
  }),
  queueGiven: errorKind<{ route: string; slot: string; publication: string }>({
    code: 'TL-3204',
    title: 'A given queue is not made by Tidelock',
    recovery: 'halt',
    message: ({ route, slot, publication }) =>
      `route ${route}: slot ${slot} and publication ${publication} are given and have to be made by whoever keeps them`,
    remedy: ({ slot, publication }) =>
      `CREATE PUBLICATION ${publication} ...; SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput');`,
    explanation: 'A slot or publication that the route names is never created, altered or dropped.',
  }),
  loadRefused: errorKind<{ route: string; table: string; position: string; sqlState: string; message: string }>({
    code: 'TL-3205',
    title: 'The source refused to read a table for the initial load',
    recovery: 'halt',
    message: ({ route, table, position, sqlState, message }) =>
      `route ${route} halted: the load of ${table} as of ${position} was refused by the source (${sqlState}): ${message}`,
    remedy: ({ route }) =>
      `Mend what the server names, or exclude the table. Nothing was loaded. Then "tidelock start ${route}".`,
    explanation: 'A privilege is missing, row security would hide rows, or the table is damaged.',
  }),
  identityDiffers: errorKind<{ route: string; table: string; position: string }>({
    code: 'TL-3206',
    title: 'A partition has another replica identity than its table',
    recovery: 'halt',
    message: ({ route, table, position }) =>
      `route ${route} halted: the old row of a change of ${table} in the transaction at ${position} was logged by another replica identity than that of the table`,
    remedy: ({ route }) =>
      `Give its partitions the replica identity of the table ("tidelock check ${route}" names them), then load the table again.`,
    explanation:
      'ALTER TABLE ... REPLICA IDENTITY does not reach the partitions of a table, and each logs its old rows by its own. Such a row does not hold what names it at the target.',
  }),
  tableRenamed: errorKind<{ route: string; table: string; name: string }>({
    code: 'TL-3207',
    title: 'A table of the route has got a name that the route does not carry',
    recovery: 'halt',
    message: ({ route, table, name }) =>
      `route ${route} halted: ${table} has changes as ${name}, which the route does not carry: they would be lost`,
    remedy: ({ route, table, name }) =>
      `Name ${name} in tables, with the target's table in to, or leave it out for good by an exclude of ${table}. Then "tidelock start ${route}".`,
    explanation: 'Tables belong to a route by their names. A table that is renamed out of them goes on changing.',
  }),
  binlogPurged: errorKind<{ route: string; checkpoint: string; missing: string }>({
    code: 'TL-3301',
    title: 'The source has purged binlogs that the route still needs',
    recovery: 'resynchronise',
    message: ({ route, checkpoint, missing }) =>
      `route ${route}: the source has purged binlogs that come after the checkpoint ${checkpoint}: ${missing}`,
    remedy: ({ route }) =>
      `Point the node to a server of the same topology that still has them. Else begin the route anew: ${beginAnew(route)}. Then raise binlog_expire_logs_seconds.`,
    explanation:
      'Binlogs expire by time (binlog_expire_logs_seconds, on MariaDB expire_logs_days) or are purged by somebody, whether they were read or not. Going on would skip changes.',
  }),
  gtidsMissing: errorKind<{ route: string; checkpoint: string; executed: string }>({
    code: 'TL-3302',
    title: 'The source lacks transactions that the target has',
    recovery: 'resynchronise',
    message: ({ route, checkpoint, executed }) =>
      `route ${route}: the checkpoint ${checkpoint} is not within what the source has executed: ${executed}`,
    remedy: ({ route }) =>
      `The source was set back, or a server was promoted that lacked them. Wait until a replica that is behind has caught up; else compare, then begin the route anew: ${beginAnew(route)}.`,
    explanation: 'After a failover or a restore the source holds less than what was already applied at the target.',
  }),
  positionKind: errorKind<{ route: string; position: string; expected: string }>({
    code: 'TL-3303',
    title: 'The position is of another kind than those of the source',
    recovery: 'halt',
    message: ({ route, position, expected }) =>
      `route ${route}: the position ${position} can't be compared with those of the source, which are ${expected}`,
    remedy: ({ route }) =>
      `Bring gtid_mode back to what it was. Or find the same place as the source names it now, and accept it with "tidelock position ${route} --adopt".`,
    explanation:
      'GTIDs and places in a file do not tell anything of each other. gtid_mode was changed, a server of another vendor has taken the place of the source, or a transaction was committed without a GTID.',
  }),
  statementLogged: errorKind<{ route: string; position: string; database: string }>({
    code: 'TL-3304',
    title: 'Rows were changed by a statement that the binlog does not hold as rows',
    recovery: 'resynchronise',
    message: ({ route, position, database }) =>
      `route ${route} halted: behind ${position} a statement in database ${database || '(none)'} is logged as its text and not as rows`,
    remedy: ({ route }) =>
      `SET GLOBAL binlog_format = 'ROW', and end all sessions that began before, since they keep theirs. What the statement has changed is not known: compare, or begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'A session had binlog_format STATEMENT or MIXED. What a statement does can only be told by the server that runs it.',
  }),
  incident: errorKind<{ route: string; position: string }>({
    code: 'TL-3305',
    title: 'The source has lost changes of its own binlog',
    recovery: 'resynchronise',
    message: ({ route, position }) =>
      `route ${route} halted: the source has logged an incident behind ${position}: changes are missing in its binlog`,
    remedy: ({ route }) =>
      `Look into the error log of the server. Compare, or begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'A server writes an incident where a change could not be written to its binlog. Its own replicas stop there, too.',
  }),
  undescribedColumn: errorKind<{ route: string; table: string; column: string; position: string; why: string }>({
    code: 'TL-3306',
    title: 'The binlog does not tell enough of a column',
    recovery: 'halt',
    message: ({ route, table, column, position, why }) =>
      `route ${route} halted: column ${table}.${column} can't be read behind ${position}: ${why}`,
    remedy: () =>
      "SET PERSIST binlog_row_metadata = 'FULL' (on MariaDB SET GLOBAL, and in its configuration). Rows that were logged before can't be read: load the table again.",
    explanation:
      'Names, signs, charsets and members come from the binlog itself, as they were when the row was written. What the catalogue says now may be another definition.',
  }),
  unreadableValue: errorKind<{ route: string; table: string; column: string; position: string; why: string }>({
    code: 'TL-3307',
    title: 'A value can not be told exactly',
    recovery: 'halt',
    message: ({ route, table, column, position, why }) =>
      `route ${route} halted: a value of ${table}.${column} in the transaction behind ${position} can't be carried: ${why}`,
    remedy: () => 'Mend the value at the source and skip the transaction, or exclude the column from the route.',
    explanation: 'The value has no text that would give the same value at the target. Guessing would alter it.',
  }),
  unseenChange: errorKind<{ route: string; table: string; position: string; what: string }>({
    code: 'TL-3308',
    title: 'A command has changed a table of the route without telling its rows',
    recovery: 'resynchronise',
    message: ({ route, table, position, what }) =>
      `route ${route} halted: ${what} of ${table} behind ${position} changes rows that the binlog does not hold`,
    remedy: ({ route }) =>
      `Do the same at the target, or compare. Then go on behind it with "tidelock position ${route} --adopt".`,
    explanation:
      'Dropping, exchanging or emptying a partition, dropping a table, or giving a name of the route to another table is logged as the command alone.',
  }),
  undoneRows: errorKind<{ route: string; position: string }>({
    code: 'TL-3309',
    title: 'A large transaction has undone rows that are in the binlog',
    recovery: 'halt',
    message: ({ route, position }) =>
      `route ${route} halted: the transaction behind ${position} rolls back rows that it has logged, after some of them have been given out`,
    remedy: ({ route }) =>
      `Skip it ("tidelock skip ${route} --transaction ..."). Give tables that are changed together an engine with transactions (ALTER TABLE ... ENGINE = InnoDB): then such a rollback is not logged.`,
    explanation:
      'The server logs a rollback only where tables such as MyISAM keep their part. Which rows are of which is not told.',
  }),
  preparedTransaction: errorKind<{ route: string; position: string; why: string }>({
    code: 'TL-3310',
    title: 'A prepared transaction (XA) can not be carried',
    recovery: 'halt',
    message: ({ route, position, why }) =>
      `route ${route} halted: an XA transaction behind ${position} can't be carried: ${why}`,
    remedy: ({ route }) =>
      `Decide it at the source (XA RECOVER lists it). Compare, or begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'The rows of an XA transaction are logged when it is prepared, and it may be committed much later. They are held until then.',
  }),
  outOfOrder: errorKind<{ route: string; position: string; gtid: string }>({
    code: 'TL-3312',
    title: 'A GTID of MariaDB does not rise within its domain',
    recovery: 'halt',
    message: ({ route, position, gtid }) =>
      `route ${route} halted: the transaction ${gtid} comes behind ${position}: numbers of one domain have to rise`,
    remedy: ({ route }) =>
      `SET GLOBAL gtid_strict_mode = ON at the source, and in its configuration, so that the server refuses it. Find out which server has written with gtid_seq_no, or beside a primary of the same domain. Then begin the route anew: ${beginAnew(route)}.`,
    explanation:
      'A position of MariaDB is the last number of each domain. A transaction with a lower one can not be told from one that was applied, by Tidelock as by a replica. Without gtid_strict_mode the server writes it all the same.',
  }),
  cutOff: errorKind<{ route: string; position: string; transaction: string }>({
    code: 'TL-3313',
    title: 'The source died while it wrote a large transaction to its binlog',
    recovery: 'retry',
    message: ({ route, position, transaction }) =>
      `route ${route}: the transaction ${transaction} behind ${position} has no end in the binlog: it was never committed`,
    remedy: () => 'Nothing: what was read of it is rolled back at the target, and the stream goes on without it.',
    explanation:
      'MariaDB leaves what it had written of a transaction in the binlog when it is killed. Its parts were on their way to the target already, in a transaction that is rolled back.',
  }),
  unorderedCommits: errorKind<{ route: string; node: string }>({
    code: 'TL-3314',
    title: 'Transactions become visible in another order than the binlog has them',
    recovery: 'halt',
    message: ({ route, node }) =>
      `route ${route}: binlog_order_commits is off at node ${node}: rows that are read beside the stream have no place in it`,
    remedy: () =>
      'SET PERSIST binlog_order_commits = \'ON\'. Then start the route again; a job goes on with "tidelock jobs resume ID".',
    explanation:
      'A load and a compare read rows between two watermarks of the binlog, and count on seeing all that stands in front of the first one. With the variable off MySQL commits transactions of one group in any order.',
  }),
  partialImage: errorKind<{ route: string; table: string; position: string }>({
    code: 'TL-3311',
    title: 'The binlog does not hold whole rows',
    recovery: 'halt',
    message: ({ route, table, position }) =>
      `route ${route} halted: a row of ${table} behind ${position} was logged without some of its columns`,
    remedy: () =>
      "SET PERSIST binlog_row_image = 'FULL' (on MariaDB SET GLOBAL, and in its configuration), and end the sessions that have set it otherwise. Load the table again.",
    explanation:
      'With binlog_row_image MINIMAL or NOBLOB a new row lacks what did not change, and an old one all but its key.',
  }),
};
