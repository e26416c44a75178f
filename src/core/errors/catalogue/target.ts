import { errorKind } from '../tidelock-error.ts';

interface TablePlace {
  readonly route: string;
  readonly table: string;
}
interface ColumnPlace extends TablePlace {
  readonly column: string;
}
interface ChangePlace extends TablePlace {
  /** Where the source transaction was committed, or its id while it is still open. */
  readonly position: string;
}

interface CommandPlace {
  readonly route: string;
  readonly tag: string;
  readonly object: string;
  readonly position: string;
}

const startAgain = ({ route }: { route: string }): string => `Then "tidelock start ${route}".`;

/** TL-2xxx: targets. */
export const targetErrors = {
  tableMissing: errorKind<TablePlace>({
    code: 'TL-2101',
    title: 'A target table does not exist',
    recovery: 'halt',
    message: ({ route, table }) => `route ${route}: table ${table} does not exist at the target`,
    remedy: (place) =>
      `"tidelock schema ${place.route} --apply" makes it (without --apply it prints the statements), or exclude it from the route. ${startAgain(place)}`,
    explanation: 'Tidelock never creates tables by itself; a missing table would lose every change of it.',
  }),
  schemaDiffers: errorKind<TablePlace & { what: string }>({
    code: 'TL-2112',
    title: 'A target table is not what the source has',
    recovery: 'halt',
    message: ({ route, table, what }) => `route ${route}: ${table} at the target: ${what}`,
    remedy: () =>
      'Run the statement at the target where the difference is not meant. Tidelock never alters what is there.',
    explanation:
      'Found by "tidelock schema", which compares the tables of the target with what the source\'s are through the route\'s names and transforms.',
  }),
  schemaRefused: errorKind<{ node: string; what: string; sqlState: string; message: string }>({
    code: 'TL-2113',
    title: 'The target refused a statement of its schema',
    recovery: 'halt',
    message: ({ node, what, sqlState, message }) => `${node} refused ${what} (${sqlState}): ${message}`,
    remedy: () =>
      'Mend what the server names and give the command again: what has been made is not made again. A function or extension that the source uses has to be installed at the target first.',
    explanation:
      'Each statement is carried out by itself: those that do not need it have been carried out all the same, those that do were refused, too.',
  }),
  columnMissing: errorKind<ColumnPlace>({
    code: 'TL-2102',
    title: 'A target column does not exist',
    recovery: 'halt',
    message: ({ route, table, column }) => `route ${route}: the target's ${table} has no column ${column}`,
    remedy: (place) =>
      `Add the column at the target, or name it under columns.exclude or columns.rename. ${startAgain(place)} Rows that are there have no values in a column that is added so: "tidelock repair ${place.route} --yes" brings them.`,
    explanation: 'A value without a place at the target would be dropped. What is not to travel is excluded by name.',
  }),
  columnUnfilled: errorKind<ColumnPlace>({
    code: 'TL-2103',
    title: 'A target column must be filled and the source has no value for it',
    recovery: 'halt',
    message: ({ route, table, column }) =>
      `route ${route}: the target's ${table}.${column} is NOT NULL without a default, and no source column fills it`,
    remedy: (place) =>
      `Where the source has got this column since: give it, at the target, the default that the source has filled older rows with, and take it away when the route has passed that change. Else give it a default, or allow NULL. ${startAgain(place)}`,
    explanation:
      'Every insert would fail. Rows that were written before the source had the column come without a value for it.',
  }),
  typeDoesNotFit: errorKind<ColumnPlace & { source: string; target: string }>({
    code: 'TL-2104',
    title: 'A target column cannot hold every value of the source column',
    recovery: 'halt',
    message: ({ route, table, column, source, target }) =>
      `route ${route}: column ${table}.${column} is ${source} at the source and ${target} at the target: not every value fits exactly`,
    remedy: (place) => `Give the target column the source's type, or a wider one. ${startAgain(place)}`,
    explanation:
      'PostgreSQL rounds numbers and timestamps and cuts blanks without an error when it assigns to a narrower column, so only equal and provably wider types are accepted.',
  }),
  columnGenerated: errorKind<ColumnPlace>({
    code: 'TL-2105',
    title: 'A target column is generated and the source column is not',
    recovery: 'halt',
    message: ({ route, table, column }) =>
      `route ${route}: the target generates ${table}.${column}, the source's value has no place`,
    remedy: (place) => `Make it an ordinary column at the target, or exclude it. ${startAgain(place)}`,
    explanation: 'A generated column cannot be written, and what the target computes may differ from the source.',
  }),
  keyMissing: errorKind<TablePlace & { columns: string; statement: string }>({
    code: 'TL-2106',
    title: 'The target table has no unique key on the source key',
    recovery: 'halt',
    message: ({ route, table, columns }) =>
      `route ${route}: the target's ${table} has no unique index on exactly (${columns})`,
    remedy: (place) => `Run at the target: ${place.statement}. ${startAgain(place)}`,
    explanation:
      'Updates and deletes name their row by these columns; without a unique index one change could hit several rows.',
  }),
  notATable: errorKind<TablePlace>({
    code: 'TL-2107',
    title: 'The target is no table',
    recovery: 'halt',
    message: ({ route, table }) => `route ${route}: ${table} at the target is a view or a foreign table`,
    remedy: (place) => `Map the source table to an ordinary or partitioned table. ${startAgain(place)}`,
    explanation: 'Views and foreign tables give no guarantee about what a write did.',
  }),
  notKept: errorKind<TablePlace & { parts: string }>({
    code: 'TL-2114',
    title: 'A target table would lose rows in a crash',
    recovery: 'halt',
    message: ({ route, table, parts }) =>
      `route ${route}: rows of ${table} at the target would be kept in ${parts}, which is unlogged or a foreign table`,
    remedy: (place) =>
      `ALTER TABLE ... SET LOGGED, or detach the foreign partition. ${startAgain(place)} After a crash of the target, or a failover, while it was unlogged its rows are gone: "tidelock compare ${place.route}" finds them.`,
    explanation:
      'A crash of the server empties unlogged tables, a standby has nothing of them, and a foreign table commits at a server of its own. The position that the route stores with the rows would be kept, and the rows not.',
  }),
  sourceGenerated: errorKind<ColumnPlace>({
    code: 'TL-2110',
    title: 'A source column is generated and the target column is not',
    recovery: 'halt',
    message: ({ route, table, column }) =>
      `route ${route}: ${table}.${column} is generated at the source and a plain column at the target`,
    remedy: ({ column }) =>
      `Make ${column} a generated column at the target, too, or leave it out there, or name it in columns.exclude if the target fills it by itself.`,
    explanation:
      'Values of generated columns are not in the log: the column would stay empty at the target without an error.',
  }),
  typeNotCarried: errorKind<ColumnPlace & { type: string; part: string }>({
    code: 'TL-2111',
    title: 'A column has a type whose values the server does not read back',
    recovery: 'halt',
    message: ({ route, table, column, type, part }) =>
      `route ${route}: column ${table}.${column} is ${type}${part === type ? '' : ` and holds ${part}`}: the server writes values of ${part} and never reads them`,
    remedy: ({ route, column }) => `Name ${column} in columns.exclude. ${startAgain({ route })}`,
    explanation:
      'Types for the inside of the server, such as pg_node_tree and gtsvector, have a text form that no server takes as input. A dump cannot carry them either.',
  }),
  triggersWouldFire: errorKind<TablePlace & { triggers: string; why: string }>({
    code: 'TL-2108',
    title: 'Triggers or cascades at the target would change replicated data',
    recovery: 'halt',
    message: ({ route, table, triggers, why }) => `route ${route}: ${table} at the target has ${triggers}, and ${why}`,
    remedy: ({ route }) =>
      `Disable them at the target, grant the user the right to set session_replication_role (before PostgreSQL 15 only a superuser may), or allow it by name on the route: allow: [targetTriggers]. Then "tidelock start ${route}".`,
    explanation:
      'The source has run its triggers already; run again at the target they would change rows a second time.',
  }),
  rowSecurity: errorKind<TablePlace>({
    code: 'TL-2109',
    title: 'Row security at the target hides rows',
    recovery: 'halt',
    message: ({ route, table }) => `route ${route}: row security of ${table} at the target applies to Tidelock's user`,
    remedy: (place) => `Connect as a user with BYPASSRLS or as the owner of the table. ${startAgain(place)}`,
    explanation: 'Rows that a policy hides can be neither updated nor deleted, and the counts would not tell.',
  }),
  keptNeedsKey: errorKind<TablePlace & { columns: string; why: string }>({
    code: 'TL-2119',
    title: 'Rows that stay when the source deletes them need a unique index',
    recovery: 'halt',
    message: ({ route, table, columns, why }) =>
      `route ${route}: ${table} at the target ${why} over ${columns || 'the columns that identify a row'}, which softDelete and keepAll need`,
    remedy: ({ route }) =>
      `Give the table a primary key or a unique index that is checked at once. Then "tidelock start ${route}".`,
    explanation: 'An insert of a key whose row was kept replaces that row; the target has to find it.',
  }),
  noTransactions: errorKind<TablePlace & { engine: string; statement: string }>({
    code: 'TL-2130',
    title: 'A target table has no transactions',
    recovery: 'halt',
    message: ({ route, table, engine }) =>
      `route ${route}: ${table} at the target is kept by the engine ${engine}, which has no transactions`,
    remedy: (place) => `Run at the target: ${place.statement}. ${startAgain(place)}`,
    explanation:
      'Rows and the position that they reach are committed together. What such a table has taken stays when the rest is rolled back, and would be applied twice.',
  }),
  readOnly: errorKind<{ node: string; name: string }>({
    code: 'TL-2131',
    title: 'The target takes no writes',
    recovery: 'halt',
    message: ({ node, name }) => `node ${node}: ${name} is on`,
    remedy: () => 'Switch it off at the target, or name the server that takes writes.',
    explanation: 'A replica of another server is set so, and a server that was switched over from.',
  }),
  notDurable: errorKind<{ node: string }>({
    code: 'TL-2132',
    title: 'A commit at the target need not survive a crash of its host',
    recovery: 'halt',
    message: ({ node }) => `node ${node}: innodb_flush_log_at_trx_commit, or with a binlog sync_binlog, is not 1`,
    remedy: () => 'Set them, or allow it by name on the node: allow: [targetMayForget].',
    explanation:
      'What is durable at the target may be forgotten by the source. After a crash of its host such a server goes back some transactions, rows and position alike: with a source that still has them nothing is lost.',
  }),
  packetTooLarge: errorKind<{ route: string; bytes: number; limit: number }>({
    code: 'TL-2133',
    title: 'A row is larger than a message that the target takes',
    recovery: 'halt',
    message: ({ route, bytes, limit }) =>
      `route ${route} halted: a statement of ${bytes} bytes is needed, and max_allowed_packet at the target is ${limit}`,
    remedy: (place) =>
      `Run at the target: SET GLOBAL max_allowed_packet = ${Math.min(2 ** 30, Math.ceil((place.bytes * 1.1) / 1024) * 1024)}. ${startAgain(place)}`,
    explanation:
      'Statements are cut where they would be longer, and a single row can not be. Bytes that are no text take two characters each. The server takes 1 GB at most.',
  }),
  truncateOfShare: errorKind<{ table: string }>({
    code: 'TL-2134',
    title: 'TRUNCATE of a table of which the target has a part',
    recovery: 'halt',
    message: ({ table }) =>
      `the source has truncated a table of which only some rows go to ${table}: which rows of the target those are is not looked up for servers of this kind yet`,
    remedy: () =>
      'Delete the rows that came from the source at the target, "tidelock drop" the route and begin it anew with load: { mode: none }.',
    explanation:
      'With a filter, or several sources for one target table, a TRUNCATE means some of its rows. All of them would go if it were carried out as it is.',
  }),
  valueAltered: errorKind<ColumnPlace & { position: string; why: string }>({
    code: 'TL-2135',
    title: 'The target would store another value',
    recovery: 'halt',
    message: ({ route, table, column, position, why }) =>
      `route ${route} halted: column ${table}.${column} in the transaction at ${position}: ${why}`,
    remedy: (place) =>
      `Give the target a column that takes the value as it is (one that does not count by itself, NULL allowed; LONGTEXT for such documents), or change the row at the source and "tidelock skip" the transaction. ${startAgain(place)}`,
    explanation:
      'MySQL and MariaDB put the next number into an AUTO_INCREMENT column that is given NULL, and the present time into a TIMESTAMP that must not be NULL; MySQL rounds decimals of a JSON document to doubles when it reads its text. None of them is an error there.',
  }),
  oldValuesUnlogged: errorKind<TablePlace & { statement: string }>({
    code: 'TL-2120',
    title: 'Old values are to be checked and are not logged',
    recovery: 'halt',
    message: ({ route, table }) =>
      `route ${route}: collisions: { oldValues: check } is set for ${table}, and the source does not log whole old rows of it`,
    remedy: (place) =>
      `Run at the source, for the table that goes to ${place.table}: ${place.statement} Or set oldValues: ignore for it. ${startAgain(place)}`,
    explanation:
      'What a row of the target should have been is only known where the source logs every column of old rows (REPLICA IDENTITY FULL).',
  }),
  collision: errorKind<ChangePlace & { change: string; found: string }>({
    code: 'TL-2201',
    title: 'The target row is not what the source says it should be',
    recovery: 'halt',
    message: ({ route, table, position, change, found }) =>
      `route ${route} halted: ${change} of ${table} at ${position} ${found}`,
    remedy: ({ route, table }) =>
      `Find out who else writes to ${table} at the target. Mend the row, and "tidelock start ${route}". Or let the source win: collisions: { tables: { ${table}: { resolve: source } } } in the configuration, "tidelock apply ${route}", and "tidelock start ${route}".`,
    explanation:
      'An insert found the row already there, an update or delete found none (or, with oldValues: check, one with other values), or another unique key is taken. Something else than this route has changed the target.',
  }),
  incompleteRow: errorKind<ChangePlace>({
    code: 'TL-2202',
    title: 'A missing row cannot be made from an update that does not carry every column',
    recovery: 'halt',
    message: ({ route, table, position }) =>
      `route ${route} halted: the update of ${table} at ${position} finds no row, and the log holds not all of its columns`,
    remedy: ({ route, table }) =>
      `Copy the row from the source, or load ${table} again. REPLICA IDENTITY FULL at the source makes updates complete. Then "tidelock start ${route}".`,
    explanation: 'PostgreSQL does not log large values that did not change. Tidelock never writes a placeholder.',
  }),
  applyFailed: errorKind<ChangePlace & { change: string; sqlState: string; message: string }>({
    code: 'TL-2203',
    title: 'The target refused a change',
    recovery: 'halt',
    message: ({ route, table, position, change, sqlState, message }) =>
      `route ${route} halted: ${change} of ${table} at ${position} was refused (${sqlState}): ${message}`,
    remedy: (place) =>
      `Mend what the server names at the target.${place.sqlState === '23503' ? ` Where rows of one statement point to each other (a child before its parent): ALTER TABLE ${place.table} ALTER CONSTRAINT ... DEFERRABLE, which leaves the check to the end of the transaction.` : ''} ${startAgain(place)}`,
    explanation:
      'A constraint, a type or a trigger at the target rejected a row that the source accepted. PostgreSQL checks a foreign key when a statement is over: what was one statement at the source may be several at the target where its transaction is larger than a group, or another change in it needs care.',
  }),
  commitFailed: errorKind<{ route: string; position: string; sqlState: string; message: string }>({
    code: 'TL-2204',
    title: 'The target refused a commit',
    recovery: 'halt',
    message: ({ route, position, sqlState, message }) =>
      `route ${route} halted: the commit up to ${position} was refused (${sqlState}): ${message}`,
    remedy: (place) => `A deferred constraint at the target is violated: mend the rows it names. ${startAgain(place)}`,
    explanation: 'Deferred constraints are checked at commit. Nothing of the group was applied.',
  }),
  checkpointTaken: errorKind<{ route: string; sequence: string }>({
    code: 'TL-2205',
    title: 'The next checkpoint is already there',
    recovery: 'retry',
    message: ({ route, sequence }) => `route ${route}: checkpoint ${sequence} is already stored`,
    remedy: () => 'Nothing: the route starts again from the stored checkpoint.',
    explanation:
      'An earlier connection of this route had committed after all (the answer was lost), or another engine has. The group was rolled back, so that nothing is applied twice.',
  }),
  committedOff: errorKind<{ route: string; position: string; message: string }>({
    code: 'TL-2207',
    title: 'What was committed at the target is not what it should be',
    recovery: 'halt',
    message: ({ route, position, message }) =>
      `route ${route} halted: the group up to ${position} is committed, and not as it should be: ${message}`,
    remedy: (place) =>
      `Look for what has kept rows away at the target (a trigger that is new there), and compare the tables: "tidelock compare ${place.route}" finds the rows. ${startAgain(place)}`,
    explanation:
      'The target itself refuses what touches another number of rows than it should, so that it is not committed. Something has got past that; nothing is applied twice for it.',
  }),
  evolutionRefused: errorKind<TablePlace & { step: string; sqlState: string; message: string }>({
    code: 'TL-2220',
    title: 'The target refused a change of a table definition',
    recovery: 'halt',
    message: ({ route, table, step, sqlState, message }) =>
      `route ${route} halted: ${step} of ${table} at the target was refused (${sqlState}): ${message}`,
    remedy: (place) => `Mend what the server names at the target. ${startAgain(place)}`,
    explanation:
      "With schemaChanges: evolve the target's tables follow the source's, in the same transaction as the rows; at MySQL and MariaDB, where such a statement commits by itself, before them. Tidelock's user has to own them (ALTER and CREATE there), and nothing is dropped by CASCADE. What was refused has left nothing behind.",
  }),
  typeUnknown: errorKind<ColumnPlace & { type: string }>({
    code: 'TL-2221',
    title: 'The target does not have the type of an added column',
    recovery: 'halt',
    message: ({ route, table, column, type }) =>
      `route ${route} halted: ${table}.${column} is of type ${type}, which the target does not have`,
    remedy: (place) => `Create the type at the target. ${startAgain(place)}`,
    explanation: 'Types that are not built in are not carried. A similar type would not hold every value.',
  }),
  parkedColumns: errorKind<ColumnPlace & { position: string }>({
    code: 'TL-2222',
    title: 'A column goes, or takes another name, while rows are parked',
    recovery: 'halt',
    message: ({ route, table, column, position }) =>
      `route ${route} halted: at ${position} column ${column} of ${table} is dropped or renamed while transactions are parked`,
    remedy: ({ route }) =>
      `Retry or discard what is parked ("tidelock parked list ${route}"). Then "tidelock start ${route}".`,
    explanation:
      'Parked rows are stored with the names that their columns had. Behind the change a retry would put their values into whatever columns have these names by then. Where the change stands in the middle of the transaction that is to be parked, mend what keeps that from being applied; or change the table at the target by hand, with the values that it has at the source, and start with --accept-schema-change.',
  }),
  commandNotCarried: errorKind<CommandPlace & { why: string }>({
    code: 'TL-2230',
    title: 'A DDL command of the source is not carried to the target',
    recovery: 'halt',
    message: ({ route, tag, object, position, why }) =>
      `route ${route} halted: ${tag} of ${object} at ${position}: ${why}`,
    remedy: ({ route }) =>
      `Carry it out at the target by hand, with the values that the rows have at the source. Then "tidelock start ${route} --accept-schema-change".`,
    explanation:
      'With ddl: replicate only commands are carried out at the target that leave both sides equal for sure (docs/operations.md). The others wait for a person. Nothing of the transaction was applied.',
  }),
  commandRefused: errorKind<CommandPlace & { sqlState: string; message: string }>({
    code: 'TL-2231',
    title: 'The target refused a DDL command',
    recovery: 'halt',
    message: ({ route, tag, object, position, sqlState, message }) =>
      `route ${route} halted: ${tag} of ${object} at ${position} was refused by the target (${sqlState}): ${message}`,
    remedy: ({ route }) =>
      `Mend what the server names at the target, then "tidelock start ${route}". Or carry the command out by hand, then "tidelock start ${route} --accept-schema-change".`,
    explanation:
      'The target differs from the source, or its user lacks a privilege: it has to own the tables. Nothing of the transaction was applied.',
  }),
  tooManyDisplaced: errorKind<ChangePlace & { change: string; constraint: string; rows: number }>({
    code: 'TL-2206',
    title: 'Too many rows change places in one transaction',
    recovery: 'halt',
    message: ({ route, table, position, constraint, rows }) =>
      `route ${route} halted: ${rows} rows of ${table} stand aside at ${position} since the transaction takes their value of ${constraint}: no more fit into the memory that the route may use`,
    remedy: (place) =>
      `Make ${place.constraint} deferrable at the target as it is at the source, or raise apply.memory. ${startAgain(place)}`,
    explanation:
      'Where the source may exchange unique values within a transaction and the target may not, rows are taken out and come back with their own change. They are held in memory until then.',
  }),
  parkedBehind: errorKind<{ route: string; transaction: string; resource: string }>({
    code: 'TL-2401',
    title: 'A transaction touches what a parked one holds',
    recovery: 'halt',
    message: ({ route, transaction, resource }) =>
      `route ${route}: transaction ${transaction} touches a key that an earlier parked transaction holds: ${resource}`,
    remedy: ({ route }) => `Retry or discard the earlier one first: "tidelock parked list ${route}".`,
    explanation:
      'After a transaction was parked, every later one that touches one of its keys (primary, unique, foreign) parks behind it, whole. It is applied with "tidelock parked retry", in source order. The route goes on meanwhile.',
  }),
  readAgain: errorKind<{ route: string; transaction: string }>({
    code: 'TL-2402',
    title: 'A large transaction is read again to be set aside whole',
    recovery: 'retry',
    message: ({ route, transaction }) =>
      `route ${route}: transaction ${transaction} is to be parked and was applied in part: it is read again`,
    remedy: () => 'Nothing: the parts were rolled back, the transaction is parked when it comes again.',
    explanation:
      'A transaction that is larger than the memory of the route is applied in parts. When a later part has to be parked, the earlier ones are rolled back and read from the source once more.',
  }),
  skipStale: errorKind<{ route: string; transaction: string; position: string }>({
    code: 'TL-2403',
    title: 'A transaction that was to be skipped is another one',
    recovery: 'retry',
    message: ({ route, transaction, position }) =>
      `route ${route}: transaction ${transaction} does not end at ${position}, where the one that was to be skipped ended`,
    remedy: () => 'Nothing: the request is void, and the transaction is applied.',
    explanation:
      'The source gave the same id to another transaction, after it was restored. What was asked of one transaction is never done to another.',
  }),
  storedChanges: errorKind<{ route: string; id: number; why: string }>({
    code: 'TL-2404',
    title: 'A parked transaction cannot be read',
    recovery: 'halt',
    message: ({ route, id, why }) =>
      `route ${route}: the stored changes of parked transaction ${id} can't be read: ${why}`,
    remedy: () => 'Use the version of Tidelock that parked it, or a newer one.',
    explanation: 'The rows of tidelock.parked_parts were written by a newer version, or changed by hand.',
  }),
  parkedUnread: errorKind<{ route: string; id: number; why: string }>({
    code: 'TL-2405',
    title: 'Which keys a parked transaction holds is not known',
    recovery: 'halt',
    message: ({ route, id, why }) =>
      `route ${route}: the old values of the rows of parked transaction ${id} can't be read at the target, so that every transaction that comes parks behind it: ${why}`,
    remedy: ({ route, id }) =>
      `Mend what is told, and retry it: "tidelock parked retry ${route} ${id}". Or discard it, and repair the tables that it has changed.`,
    explanation:
      'Rows that a parked transaction changes were not at the target when it was set aside, and have come with the retry of an earlier one. Whatever they were before is held by the transaction that changes them, and has to be read for that.',
  }),
  targetNotEmpty: errorKind<TablePlace>({
    code: 'TL-2301',
    title: 'A target table is not empty before the load',
    recovery: 'halt',
    message: ({ route, table }) => `route ${route}: ${table} at the target is not empty`,
    remedy: (place) =>
      `Empty it. Or have its rows replaced, or merged with the source's: load: { existing: replace } or merge for the load that the route begins with, --existing replace or merge for "tidelock load". ${startAgain(place)} A "tidelock load" is given again instead.`,
    explanation: 'A load never mixes its rows with others unless somebody says what is to become of them.',
  }),
  loadRefused: errorKind<ColumnPlace & { position: string; sqlState: string; message: string }>({
    code: 'TL-2303',
    title: 'The target refused a row of the initial load',
    recovery: 'halt',
    message: ({ route, table, column, position, sqlState, message }) =>
      `route ${route} halted: the load of ${table} as of ${position} was refused at ${column} (${sqlState}): ${message}`,
    remedy: (place) =>
      `Mend what the server names at the target, or the value at the source. Nothing was loaded. ${startAgain(place)}`,
    explanation:
      'A constraint or a type at the target rejected a row that the source holds. The load is one transaction, so that the target is as it was before.',
  }),
  emptyingCascades: errorKind<TablePlace & { other: string }>({
    code: 'TL-2304',
    title: 'Emptying a target table would change another one',
    recovery: 'halt',
    message: ({ route, table, other }) =>
      `route ${route}: a foreign key of ${other} acts on it when rows of ${table} are deleted, so that ${table} can't be emptied for its load`,
    remedy: ({ other, ...place }) =>
      `Take the action off the foreign key of ${other}, let Tidelock's user set session_replication_role, or load both. ${startAgain(place)}`,
    explanation:
      "A load that replaces rows deletes those that are there. A foreign key ON DELETE CASCADE, SET NULL or SET DEFAULT of a table that is not loaded with it would change that table's rows, which nobody has agreed to.",
  }),
  loadTooLarge: errorKind<{ route: string; bytes: number; limitBytes: number }>({
    code: 'TL-2302',
    title: 'The tables are too large for a load in one piece',
    recovery: 'halt',
    message: ({ route, bytes, limitBytes }) =>
      `route ${route}: the tables hold ${bytes} bytes, a load in one piece takes ${limitBytes} at most`,
    remedy: () =>
      'Make the copy by other means and start with load: { mode: none }, or replicate fewer tables. Tables with a key have no such limit, and between PostgreSQL servers those without one that log whole rows (REPLICA IDENTITY FULL) or none: they are loaded in ranges.',
    explanation:
      "What can't be loaded in ranges is copied in one transaction from the queue's snapshot, while the source keeps WAL.",
  }),
  baseCopyMissing: errorKind<TablePlace & { more: number }>({
    code: 'TL-2308',
    title: 'With load: none a target table is empty, and the source table is not',
    recovery: 'halt',
    message: ({ route, table, more }) =>
      `route ${route}: load.mode is none, and ${table}${more > 0 ? ` and ${more} more` : ''} at the target has no row, while its source table has`,
    remedy: ({ route }) =>
      `Load them (load: { mode: initial }), or bring a copy that fits the queue first ("tidelock prepare ${route}", docs/load.md). Where the rows are not wanted: allow: [emptyTarget] on the route.`,
    explanation:
      'Changes of rows that were never copied would halt the route later, and rows that nobody changes would be missing for good: a missing base copy must not go unnoticed.',
  }),
  compareRefused: errorKind<{ route: string; node: string; message: string }>({
    code: 'TL-2310',
    title: 'A server has refused to compute what a compare asks for',
    recovery: 'halt',
    message: ({ route, node, message }) => `route ${route}: a compare was refused at ${node}: ${message}`,
    remedy: () =>
      'Grant the user SELECT on the tables of the route, or compare those that it may read: "tidelock compare ROUTE TABLE...". The job goes on with "tidelock jobs resume ID".',
    explanation:
      'A compare reads both sides with the users of their nodes, and has the servers compute a hash of each row. Where a row is larger than 500 MB its text does not fit into one value of the server.',
  }),
  writersUntold: errorKind<TablePlace & { constraint: string }>({
    code: 'TL-2311',
    title: 'Nobody can tell who has written rows of a table in a two-way set-up',
    recovery: 'halt',
    message: ({ route, table, constraint }) =>
      `route ${route}: what foreign key ${constraint} does to rows of ${table} is not in the target's binlog`,
    remedy: ({ route }) =>
      `Compare, or repair, the other tables: "tidelock compare ${route} TABLE...". This one can be compared where the foreign key has no action at the target, or the other route is paused and taken out of the configuration.`,
    explanation:
      'A row that differs may be on its way from the target to the source. MySQL and MariaDB keep nothing with a row that tells who has written it: the binlog of the target does, but MariaDB, and MySQL without innodb_native_foreign_keys = OFF, write nothing into it of what CASCADE, SET NULL and SET DEFAULT change.',
  }),
  loadNeedsKey: errorKind<TablePlace>({
    code: 'TL-2305',
    title: 'A load beside the stream needs a key at the target',
    recovery: 'halt',
    message: ({ route, table }) =>
      `route ${route}: ${table} at the target has no unique key, checked at once, with all columns of the source's, by which a row of the load can be told from one that the stream has brought`,
    remedy: (place) => `Make the key that the source has, not deferrable. ${startAgain(place)}`,
    explanation:
      'While a table is loaded in ranges the stream goes on, and may bring a row before its range is loaded. The load has to find it, and no other: by another key than the source has, two of its rows may be one at the target.',
  }),
  loadOwesTooMuch: errorKind<TablePlace & { bytes: number }>({
    code: 'TL-2312',
    title: 'Too many rows of a table without a key go while it is loaded',
    recovery: 'halt',
    message: ({ route, table, bytes }) =>
      `route ${route}: of ${table}, which has no key, more than ${bytes} bytes of rows that are not loaded yet were deleted or changed since its load has begun`,
    remedy: ({ route, table }) =>
      `Raise apply.memory, of which a quarter is for these; or give ${table} a key at the source, or load it while less of it changes: "tidelock start ${route}" begins the load anew.`,
    explanation:
      'Rows without a key are read as they were at one moment. What the stream has deleted since then and the load has not brought yet is kept in memory, so that the load leaves it out.',
  }),
  loadUnderForeignKey: errorKind<TablePlace & { constraint: string }>({
    code: 'TL-2306',
    title: 'A foreign key points to a table that is being loaded beside the stream',
    recovery: 'halt',
    message: ({ route, table, constraint }) =>
      `route ${route}: the foreign key ${constraint} of ${table} is one of a table that lacks rows until its load is complete, and it acts for Tidelock's user`,
    remedy: (place) =>
      `Make the foreign key after the load; on PostgreSQL let Tidelock's user set session_replication_role ("tidelock grants"); or bring the rows by other means (docs/load.md). ${startAgain(place)}`,
    explanation:
      "Rows that the stream brings meanwhile may point to rows that are not loaded yet. With the replica role, as PostgreSQL's own apply worker has it, foreign keys are not checked; without it they would refuse rows that are right. From MariaDB foreign keys always act at the target, since its binlog says nothing of what cascades do: not to rows, either, that are read for a load at that moment. Tables that hold no more than 1 GB together are copied in one piece instead, where a route begins with them, unless their rows are merged.",
  }),
  loadWhileParked: errorKind<{ route: string }>({
    code: 'TL-2307',
    title: 'Nothing can be parked while a table is loaded beside the stream',
    recovery: 'halt',
    message: ({ route }) => `route ${route}: transactions are parked, or are to be, while a table is being loaded`,
    remedy: ({ route }) =>
      `Retry or discard what is parked ("tidelock parked list ${route}"), or mend what keeps the transaction from being applied.`,
    explanation:
      'A chunk of a load holds rows as they are behind the parked transaction, and would go ahead of it. What is parked has to be looked after first.',
  }),
};
