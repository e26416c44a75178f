import { errorKind } from '../tidelock-error.ts';

/** TL-4xxx: routes, leases, stored state, Supervisor. */
export const routeErrors = {
  fenced: errorKind<{ route: string; epoch: string }>({
    code: 'TL-4001',
    title: 'Another engine has taken the route',
    recovery: 'fenced',
    message: ({ route, epoch }) =>
      `route ${route}: this engine's epoch ${epoch} is over, another engine has taken the route`,
    remedy: ({ route }) => `Nothing, where that was meant. To take it back: "tidelock start ${route} --takeover".`,
    explanation:
      'Two engines must never write for one route. The one whose epoch is older stops and does not take the route back by itself.',
  }),
  notRegistered: errorKind<{ route: string }>({
    code: 'TL-4002',
    title: 'Nothing is stored about the route at its target',
    recovery: 'halt',
    message: ({ route }) => `route ${route}: its target holds no state of it`,
    remedy: () => 'Start it with "tidelock run", which registers it.',
    explanation: 'The schema tidelock of the target has no row for the route: it was never started, or it was dropped.',
  }),
  epochLocked: errorKind<{ route: string }>({
    code: 'TL-4003',
    title: 'A session of another engine keeps the route from being taken over',
    recovery: 'retry',
    message: ({ route }) =>
      `route ${route}: another engine's transaction at the target is still open and its session could not be ended`,
    remedy: () =>
      "Find the engine's sessions at the target and end them: on PostgreSQL those in pg_stat_activity whose application_name begins with \"tidelock\", with pg_terminate_backend; on MySQL and MariaDB the one that SELECT IS_USED_LOCK(CONCAT('tidelock.route ', id, ' apply')) FROM tidelock.routes names, with KILL. Tidelock goes on trying.",
    explanation:
      'An open transaction of the engine before holds the route. It may belong to another database user, whose sessions Tidelock may not end. Until it has ended nobody else may write.',
  }),
  tableOwned: errorKind<{ route: string; table: string; owner: string }>({
    code: 'TL-4004',
    title: 'A target table belongs to another route',
    recovery: 'halt',
    message: ({ route, table, owner }) => `route ${route}: ${table} at the target belongs to route ${owner}`,
    remedy: ({ owner }) =>
      `Exclude the table from one of the two, or drop ${owner} if it is no longer used. Routes that are meant to share a table say with \`owns\` which rows are theirs.`,
    explanation: 'Each target table has one owning route: two would overwrite each other without noticing.',
  }),
  sharesMeet: errorKind<{ route: string; table: string; owner: string; owns: string; other: string }>({
    code: 'TL-4014',
    title: 'Two routes may own the same row of a target table',
    recovery: 'halt',
    message: ({ route, table, owner, owns, other }) =>
      `route ${route}: owns (${owns}) of ${table} at the target is not apart from that of route ${owner} (${other})`,
    remedy: ({ owner }) =>
      `Let no row be in both: compare the same columns with other constants. Or drop ${owner} if it is no longer used.`,
    explanation:
      'Routes that share a target table declare which rows are theirs. That no row can be in two of these shares is proven when a route registers the table; what can not be proven is refused.',
  }),
  stateNewer: errorKind<{ node: string; found: number; known: number }>({
    code: 'TL-4005',
    title: 'The stored state was made by a newer version',
    recovery: 'halt',
    message: ({ node, found, known }) =>
      `node ${node}: the schema tidelock has version ${found}, this engine knows versions up to ${known}`,
    remedy: () => 'Run the version of Tidelock that made it, or a newer one.',
    explanation:
      'An older engine could misread or destroy state whose meaning has changed. State that was only added to is worked with: then there is no such error.',
  }),
  stateLocked: errorKind<{ node: string }>({
    code: 'TL-4019',
    title: 'Another engine is making or dropping the stored state',
    recovery: 'retry',
    message: ({ node }) => `node ${node}: another session has held the named lock "tidelock.state" for too long`,
    remedy: () =>
      "Nothing: it is tried again. Where it comes again, IS_USED_LOCK('tidelock.state') tells the session: end it.",
    explanation:
      'On MySQL and MariaDB definitions of tables are no part of a transaction, so that one engine after the other makes, changes or drops those of the database tidelock.',
  }),
  stateDamaged: errorKind<{ route: string; what: string }>({
    code: 'TL-4006',
    title: 'The stored state of a route is incomplete',
    recovery: 'resynchronise',
    message: ({ route, what }) => `route ${route}: the state stored at its target is incomplete: ${what}`,
    remedy: () => 'Restore the schema tidelock of the target, or drop the route and load its tables again.',
    explanation: 'Rows were removed from the schema tidelock by hand. Where the route has to go on is not known.',
  }),
  stillRunning: errorKind<{ route: string; state: string; host: string; pid: number; action: string }>({
    code: 'TL-4007',
    title: 'The route is running',
    recovery: 'usage',
    message: ({ route, state, host, pid, action }) =>
      `route ${route} is ${state} on ${host} (process ${pid}): it can't be ${action} meanwhile`,
    remedy: ({ route }) => `"tidelock stop ${route}", wait until its state is stopped, and try again.`,
    explanation: 'What the command changes is in use by the engine that runs the route.',
  }),
  neverStarted: errorKind<{ route: string }>({
    code: 'TL-4008',
    title: 'The route was never started',
    recovery: 'usage',
    message: ({ route }) => `route ${route} was never started: its target holds no state of it`,
    remedy: ({ route }) =>
      `"tidelock run" starts it. Where one runs already: "tidelock start ${route}" begins a route anew that was dropped; else its log and "tidelock check ${route}" say what keeps it from the target.`,
    explanation:
      'The target has no state of the route. It was never run, or it was dropped, or the engine can not yet write to the target.',
  }),
  stoppedOnRequest: errorKind<{
    route: string;
    wanted: string;
    by: string | null;
    why: string | null;
    until: string | null;
  }>({
    code: 'TL-4009',
    title: 'The route is stopped on purpose',
    recovery: 'usage',
    message: ({ route, wanted, by, why, until }) =>
      `route ${route} is ${wanted} on request${by === null ? '' : ` of ${by}`}${why === null ? '' : ` (${why})`}${until === null ? '' : ` until ${until}`}; the source keeps its changes`,
    remedy: ({ route, wanted }) => `"tidelock ${wanted === 'paused' ? 'resume' : 'start'} ${route}" lets it go on.`,
    explanation:
      'Somebody has stopped or paused the route. It goes on from its checkpoint when it is started, as long as the source keeps the changes.',
  }),
  noEngine: errorKind<{ route: string; since: string }>({
    code: 'TL-4010',
    title: 'No engine runs the route',
    recovery: 'usage',
    message: ({ route, since }) => `no engine runs route ${route}${since}`,
    remedy: ({ route }) =>
      `Start "tidelock run", or find out why it has ended. Where it is there, its log tells why its worker is not. One that was fenced goes on with "tidelock start ${route}". One that runs takes up a route that is new in its configuration on SIGHUP.`,
    explanation:
      'The route should run, and its lease has been released or has expired: the engine was ended, has died, or cannot reach the target.',
  }),
  notTaken: errorKind<{ route: string }>({
    code: 'TL-4011',
    title: 'Nobody has taken the route over',
    recovery: 'usage',
    message: ({ route }) => `route ${route} was taken from its engine, and no other engine has taken it yet`,
    remedy: ({ route }) =>
      `Start "tidelock run" where the route should run; "tidelock start ${route}" lets the engine that had it take it back.`,
    explanation: 'After a takeover an engine that stands by takes the route within seconds. None has.',
  }),
  standby: errorKind<{ route: string; host: string; pid: number }>({
    code: 'TL-4012',
    title: 'Another engine has the route',
    recovery: 'retry',
    message: ({ route, host, pid }) => `route ${route}: the engine on ${host} (process ${pid}) has it`,
    remedy: ({ route }) =>
      `Nothing: this engine stands by and takes the route when the lease expires. At once: "tidelock start ${route} --takeover".`,
    explanation: 'A route is run by one engine at a time. Others stand by until its lease has expired.',
  }),
  dropped: errorKind<{ route: string }>({
    code: 'TL-4013',
    title: 'The route was dropped while its engine had it',
    recovery: 'halt',
    message: ({ route }) => `route ${route} was dropped: its target holds no state of it any more`,
    remedy: ({ route }) => `Take it out of the configuration. "tidelock start ${route}" begins it anew.`,
    explanation:
      'Somebody dropped the route; one that was renamed is told as TL-4139, as long as the journal at its target knows of it. An engine that still has it in its configuration does not begin it anew by itself, nor does one that stands by; a "tidelock run" that is started later does, as with every route of its configuration.',
  }),
  stateOlder: errorKind<{ node: string; found: number; wanted: number }>({
    code: 'TL-4030',
    title: 'The engine that runs the route is older than the command',
    recovery: 'usage',
    message: ({ node, found, wanted }) =>
      `node ${node}: the schema tidelock has version ${found}, what was asked for needs version ${wanted}`,
    remedy: () => 'Restart "tidelock run" with this version: it brings the stored state up to date. Then try again.',
    explanation:
      'Commands read what an older engine has stored, and leave it as it is while that engine may be running. What it has no place for has to wait for its upgrade.',
  }),
  parked: errorKind<{ route: string; count: number; since: string }>({
    code: 'TL-4201',
    title: 'Transactions of the route are parked',
    recovery: 'usage',
    message: ({ route, count, since }) =>
      `route ${route}: ${count} ${count === 1 ? 'transaction is' : 'transactions are'} parked: the target is not what the source was since ${since}`,
    remedy: ({ route }) =>
      `"tidelock parked list ${route}" tells why; mend it, then "tidelock parked retry ${route} --all".`,
    explanation:
      'Transactions were set aside, and those that touch their keys with them. The route goes on, and every row they touch lags behind until they are retried.',
  }),
  parkedUnknown: errorKind<{ route: string; id: string }>({
    code: 'TL-4202',
    title: 'No such parked transaction',
    recovery: 'usage',
    message: ({ route, id }) => `route ${route} has no parked transaction ${id}`,
    remedy: ({ route }) => `"tidelock parked list ${route}" shows their numbers, in the first column.`,
    explanation: 'It was retried or discarded already, or the number is of another route.',
  }),
  parkedWaits: errorKind<{ route: string; id: number; earlier: string }>({
    code: 'TL-4203',
    title: 'A parked transaction waits for earlier ones',
    recovery: 'usage',
    message: ({ route, id, earlier }) =>
      `route ${route}: parked transaction ${id} touches keys of earlier ones that are parked, too: ${earlier}`,
    remedy: () => 'Retry those first, or take them along with --with-earlier.',
    explanation: 'Transactions that touch the same keys are only right in source order.',
  }),
  notHalted: errorKind<{ route: string; transaction: string; state: string; at: string }>({
    code: 'TL-4204',
    title: 'The route has not halted at this transaction',
    recovery: 'usage',
    message: ({ route, transaction, state, at }) =>
      `route ${route} is ${state}${at}, transaction ${transaction} can't be skipped`,
    remedy: ({ route }) => `"tidelock status ${route}" names the transaction that a halted route can't apply.`,
    explanation:
      'Only the transaction that a route has halted at can be skipped, and only where it is the rows of that transaction that the target refuses: nothing else is ever left out.',
  }),
  parkingNotDone: errorKind<{ route: string; seconds: number }>({
    code: 'TL-4205',
    title: 'The engine has not done what was asked of parked transactions in time',
    recovery: 'usage',
    message: ({ route, seconds }) => `route ${route}: its engine has not carried the request out within ${seconds} s`,
    remedy: ({ route }) =>
      `It is stored and will be: look at "tidelock parked list ${route}" and "tidelock status ${route}".`,
    explanation:
      'The engine that has the route carries such requests out between two groups. A large transaction may be on its way, or the engine can not reach the target.',
  }),
  columnUnknown: errorKind<{ route: string; table: string; column: string }>({
    code: 'TL-4101',
    title: 'The configuration names a column that the source table does not have',
    recovery: 'halt',
    message: ({ route, table, column }) => `route ${route}: ${table} has no column ${column} at the source`,
    remedy: ({ table }) => `Correct the name under columns or transforms of ${table}.`,
    explanation: 'An exclusion or a mask with a wrong name would let through what was meant to be kept back.',
  }),
  keyColumnExcluded: errorKind<{ route: string; table: string; column: string }>({
    code: 'TL-4102',
    title: 'A key column is excluded',
    recovery: 'halt',
    message: ({ route, table, column }) =>
      `route ${route}: column ${column} is part of the key of ${table} and can't be excluded`,
    remedy: ({ column }) => `Take ${column} out of columns.exclude.`,
    explanation: 'Updates and deletes find their row by the key.',
  }),
  columnTwice: errorKind<{ route: string; table: string; column: string }>({
    code: 'TL-4103',
    title: 'Two columns have one name at the target',
    recovery: 'halt',
    message: ({ route, table, column }) =>
      `route ${route}: two columns of ${table} would be named ${column} at the target`,
    remedy: ({ table }) => `Correct columns.rename of ${table}.`,
    explanation: 'Each value needs a place of its own.',
  }),
  keyNotInjective: errorKind<{ route: string; table: string; column: string; transform: string }>({
    code: 'TL-4104',
    title: 'A transform would make different keys equal',
    recovery: 'halt',
    message: ({ route, table, column, transform }) =>
      `route ${route}: ${transform} on key column ${column} of ${table} could give two rows one key`,
    remedy: () => 'Leave key columns out of it, or use mask with method hmac.',
    explanation: 'Rows at the target are found by the transformed key, so that two source keys must never become one.',
  }),
  schemaChanged: errorKind<{ route: string; table: string; position: string; what: string }>({
    code: 'TL-4105',
    title: 'The definition of a source table has changed',
    recovery: 'halt',
    message: ({ route, table, position, what }) =>
      `route ${route} halted: ${table} changed at the source before ${position}: ${what}`,
    remedy: ({ route, table }) =>
      `Make the same change to ${table} at the target (with the same default, for rows that are there already). Then "tidelock start ${route} --accept-schema-change".`,
    explanation:
      'A changed definition can change rows without a row event (a new column with a default). The route waits until a person has made the same change at the target.',
  }),
  schemaUnproven: errorKind<{ route: string; table: string; position: string; why: string }>({
    code: 'TL-4109',
    title: 'A change of a source table cannot be followed exactly',
    recovery: 'halt',
    message: ({ route, table, position, why }) => `route ${route} halted: ${table} at ${position}: ${why}`,
    remedy: ({ route, table }) =>
      `Make the target's ${table} what the source's is, with the values of the rows that are there already. Then "tidelock start ${route} --accept-schema-change".`,
    explanation:
      'A definition changed so that rows changed without row events (USING, a default that is no constant, a generated column, partitions), or several changes lie between the row in the queue and the catalogue, which alone tells a rename from a dropped and added column. From MySQL and MariaDB the command is read as it stands in the binlog: what is not read word for word, or is not what its rows come with, halts (docs/connectors/mysql.md). Tidelock does not guess.',
  }),
  renameIgnored: errorKind<{ route: string; table: string; column: string; position: string; name: string }>({
    code: 'TL-4110',
    title: 'A column was renamed, which cannot be ignored',
    recovery: 'halt',
    message: ({ route, table, column, name, position }) =>
      `route ${route} halted: column ${column} of ${table} was renamed to ${name} before ${position}`,
    remedy: ({ route, table, column, name }) =>
      `Rename the column of ${table} at the target, too, or give it a name of its own there with columns: { rename: { ${name}: ${column} } }. Then "tidelock start ${route} --accept-schema-change".`,
    explanation:
      'Under its new name it would be a new column, which is left out: its values would stay behind silently.',
  }),
  preflightFailed: errorKind<{ route: string; errors: number; first: string; remedy: string }>({
    code: 'TL-4106',
    title: 'The preflight found errors',
    recovery: 'halt',
    message: ({ route, errors, first }) =>
      `route ${route} can't start: ${errors === 1 ? first : `${errors} preflight errors, the first: ${first}`}`,
    remedy: ({ remedy, route, errors }) =>
      `${remedy}${errors === 1 ? '' : ` "tidelock check ${route}" lists them all.`}`,
    explanation: 'Something at the source or the target would make the route fail or lose data later.',
  }),
  checkpointForeign: errorKind<{ route: string }>({
    code: 'TL-4107',
    title: 'The replication slot that the route names does not exist',
    recovery: 'halt',
    message: ({ route }) => `route ${route}: the replication slot that the route names does not exist`,
    remedy: () => 'Create it, or leave the keys slot and publication out so that Tidelock makes its own.',
    explanation: 'A given slot is never created or dropped by Tidelock.',
  }),
  stuck: errorKind<{ route: string }>({
    code: 'TL-4108',
    title: 'A statement did not end when it was cut off',
    recovery: 'retry',
    message: ({ route }) => `route ${route}: work that was cut off has not ended`,
    remedy: () => 'Nothing: the work is abandoned and can no longer commit. Where it comes again, report it.',
    explanation:
      'The lease was lost, or draining took too long, and a connection did not close in time. The epoch at the target keeps what is left of it from committing.',
  }),
  definitionChanged: errorKind<{ route: string; plan: readonly string[] }>({
    code: 'TL-4130',
    title: 'The configuration of the route was changed, and the change was not applied',
    recovery: 'halt',
    message: ({ route, plan }) =>
      `route ${route}: its tables are configured otherwise than it was applied with last:\n${plan.map((line) => `  ${line}`).join('\n')}`,
    remedy: ({ route }) =>
      `"tidelock plan ${route}" shows it, "tidelock apply ${route}" carries it out. Or put the configuration back and have the service read it again (SIGHUP, or a restart).`,
    explanation:
      'Which tables a route carries, where they go and what becomes of their rows decides about rows that are at the target already. Such a change is carried out when somebody has seen the plan, and never because a file was edited. All else (limits, group sizes, what happens to errors and new tables) is taken over at the next start.',
  }),
  changeRefused: errorKind<{ route: string; what: readonly string[] }>({
    code: 'TL-4131',
    title: 'The route can not be changed like that',
    recovery: 'halt',
    message: ({ route, what }) => `route ${route}: ${what.join('; ')}`,
    remedy: ({ route }) =>
      `Put the configuration back, or "tidelock drop ${route}" with the old configuration and begin a route with the new one.`,
    explanation:
      'A position belongs to one source and one queue of it. A route that read another one would leave out what was committed in between, or apply it twice.',
  }),
  parkedBeforeChange: errorKind<{ route: string; count: number }>({
    code: 'TL-4132',
    title: 'Transactions are parked, so that the tables can not be changed',
    recovery: 'halt',
    message: ({ route, count }) =>
      `route ${route}: ${count} ${count === 1 ? 'transaction is parked as it was' : 'transactions are parked as they were'} mapped before: its tables can't be changed meanwhile`,
    remedy: ({ route }) =>
      `Retry or discard them with the old configuration ("tidelock parked list ${route}"), then apply the new one. Or keep the rows that are there ("tidelock apply ${route} --keep-rows TABLE"): only what comes later is mapped anew then.`,
    explanation:
      'What is parked would be applied later to rows that were loaded since, or that are mapped otherwise: twice, or with values of before.',
  }),
  renameTaken: errorKind<{ route: string; name: string }>({
    code: 'TL-4135',
    title: 'There is a route of that name',
    recovery: 'usage',
    message: ({ route, name }) => `route ${route} can't become ${name}: there is a route of that name`,
    remedy: ({ name }) => `Choose another name, or drop ${name} if it is no longer used.`,
    explanation: 'Slot, publication and everything that is stored at the target are found by the name of the route.',
  }),
  renameNotYet: errorKind<{ route: string; why: string }>({
    code: 'TL-4136',
    title: 'The route can not be renamed now',
    recovery: 'usage',
    message: ({ route, why }) => `route ${route} was not renamed: ${why}`,
    remedy: () => 'The route keeps its old name. Mend what is named and give the command again.',
    explanation:
      'A renamed route goes on where it stands only when it has passed everything that was under way when its new publication was made: for that it has to run, and transactions that are open at the source have to end.',
  }),
  renamed: errorKind<{ route: string; name: string }>({
    code: 'TL-4139',
    title: 'The route has another name now',
    recovery: 'usage',
    message: ({ route, name }) => `route ${route} was renamed to ${name}, and the configuration still has its old name`,
    remedy: ({ route, name }) =>
      `Write ${name} in place of ${route} in the configuration; a "tidelock run" that is at work takes it up on SIGHUP. Nothing of it is left behind: drop nothing. "tidelock start ${route}" would begin a new route, with a load.`,
    explanation:
      'What is stored of the route, its slot and its publication have the new name. An engine that is started with the old one would begin a new route of that name, with a load.',
  }),
  notPaused: errorKind<{ route: string; verb: 'pause' | 'resume'; state: string }>({
    code: 'TL-4140',
    title: 'The route is stopped: it is neither paused nor resumed',
    recovery: 'usage',
    message: ({ route, verb, state }) => `route ${route} was not ${verb}d: it is ${state}, and stays so`,
    remedy: ({ route }) => `"tidelock start ${route}" lets it run again.`,
    explanation:
      'Whoever has stopped a route wants it to rest until it is started. A pause would let it go on when its time is over, and a resume ends pauses only. With --all such a route is left as it is, which is no error.',
  }),
  nodeAnswers: errorKind<{ node: string }>({
    code: 'TL-4137',
    title: 'The node that is to be forgotten answers',
    recovery: 'usage',
    message: ({ node }) => `node ${node} answers: its routes can be dropped at both sides`,
    remedy: () => '"tidelock drop ROUTE" for each of its routes leaves nothing behind.',
    explanation: 'Only a node that is gone for good is forgotten with --unreachable: what is on it stays there.',
  }),
  planNotAgreed: errorKind<{ route: string; other: boolean }>({
    code: 'TL-4134',
    title: 'Nobody has agreed to the plan',
    recovery: 'usage',
    message: ({ route, other }) =>
      other
        ? `route ${route}: the plan is another one than the one that was agreed to`
        : `route ${route}: rows at the target would go, or no longer follow the source`,
    remedy: ({ route }) => `"tidelock plan ${route}" shows it; "tidelock apply ${route} --yes" agrees to it.`,
    explanation:
      'Tables that are loaded again lose the rows that are there, and tables that leave the route fall behind. Somebody who has seen which has to say yes; a plan that has changed since has to be seen again.',
  }),
  planChanged: errorKind<{ route: string; plan: readonly string[] }>({
    code: 'TL-4138',
    title: 'The plan has changed since it was agreed to',
    recovery: 'halt',
    message: ({ route, plan }) =>
      `route ${route}: its tables have changed since the change was agreed to, which would now be:\n${plan.map((line) => `  ${line}`).join('\n')}`,
    remedy: ({ route }) =>
      `"tidelock plan ${route}" shows it; "tidelock apply ${route} --yes" agrees to it as it is now.`,
    explanation:
      'Somebody has agreed to what the plan said then: these tables, these targets, rows of these that go. Tables that were made, dropped or renamed at the source since make it another plan, and nothing of it was done.',
  }),
  keepRowsUnknown: errorKind<{ route: string; tables: string }>({
    code: 'TL-4133',
    title: 'There is no such table whose rows could be kept',
    recovery: 'usage',
    message: ({ route, tables }) => `route ${route}: the plan does not load ${tables} again`,
    remedy: ({ route }) =>
      `"tidelock plan ${route}" lists the tables that are loaded again or moved (~ and >): those may be named.`,
    explanation: 'A table whose rows are to stay as they are has to be one that would be loaded otherwise.',
  }),
  ownTables: errorKind<{ route: string; from: string; to: string; table: string; more: number }>({
    code: 'TL-4120',
    title: 'The route would write the tables that it reads',
    recovery: 'halt',
    message: ({ route, from, to, table, more }) =>
      `route ${route}: nodes ${from} and ${to} are the same database, so it would write into ${table}${more === 0 ? '' : ` and ${more} more`}, which it reads`,
    remedy: ({ from, to }) =>
      `Correct the address of ${from} or ${to} ("tidelock config show" prints both), or give the tables other names at the target with \`to\`.`,
    explanation:
      'Both nodes lead to one running server and one database of it, and a table of the route is its own target. A load that replaces rows, or a mask, would change the source.',
  }),
  jobUnknown: errorKind<{ route: string; job: number; kind: string }>({
    code: 'TL-4150',
    title: 'This engine does not know jobs of that kind',
    recovery: 'halt',
    message: ({ route, job, kind }) => `job ${route}/${job}: this engine has no jobs of the kind ${kind}`,
    remedy: ({ route, job }) =>
      `Let an engine of the version that it was asked for with take the route over, then "tidelock jobs resume ${route}/${job}".`,
    explanation: 'A newer command has asked for it, and the engine that has the route is older.',
  }),
  jobMissing: errorKind<{ route: string; job: string }>({
    code: 'TL-4151',
    title: 'There is no such job',
    recovery: 'usage',
    message: ({ route, job }) => `route ${route} has no job ${job}`,
    remedy: () => '"tidelock jobs" lists the jobs of all routes; those that have ended are forgotten after a while.',
    explanation: 'Jobs are named by their route and a number: sales-to-reporting/12.',
  }),
  jobEnded: errorKind<{ route: string; job: string; state: string }>({
    code: 'TL-4152',
    title: 'The job has ended',
    recovery: 'usage',
    message: ({ route, job, state }) => `job ${route}/${job} is ${state}: nothing can be asked of it any more`,
    remedy: () => 'Ask for a new one. Only a job that rests or has failed can be resumed.',
    explanation: 'A job that is done or was cancelled stays as it is, for those who look at what came of it.',
  }),
  notATableOfRoute: errorKind<{ route: string; table: string; nearest: string | null }>({
    code: 'TL-4153',
    title: 'The route has no such table',
    recovery: 'usage',
    message: ({ route, table, nearest }) =>
      `route ${route} carries no table ${table}${nearest === null ? '' : `, did you mean ${nearest}?`}`,
    remedy: ({ route }) =>
      `Name source tables as the route does, schema and table: "tidelock status ${route} --tables" lists them.`,
    explanation:
      'A command that works on single tables of a route names them as they are at the source; * stands for any text.',
  }),
  notStreaming: errorKind<{ route: string }>({
    code: 'TL-4154',
    title: 'The job waits for the stream of its route',
    recovery: 'retry',
    message: ({ route }) => `route ${route}: its stream has ended or not begun yet, and a job needs it`,
    remedy: ({ route }) =>
      `Nothing, where the route starts again by itself. "tidelock status ${route}" tells why it does not.`,
    explanation:
      'Rows that change all the time are looked at as of one position of the stream. A job that finds none waits for the next one, and goes on where it was.',
  }),
  alteredMeanwhile: errorKind<{ route: string; table: string }>({
    code: 'TL-4155',
    title: 'A table was altered while a job read it',
    recovery: 'halt',
    message: ({ route, table }) => `route ${route}: ${table} has other columns than when the job began`,
    remedy: () => 'Ask for a new job: it begins with the table as it is now.',
    explanation: 'A job reads the definitions of its tables when it begins, and what it finds is about those columns.',
  }),
  conditionChanged: errorKind<{ route: string; table: string; column: string }>({
    code: 'TL-4156',
    title: 'A condition reads a column that the target has not as it is',
    recovery: 'usage',
    message: ({ route, table, column }) =>
      `route ${route}: the column ${column} of ${table} does not travel unchanged, so that a condition on it can't be asked at the target`,
    remedy: () => 'Use columns that are neither excluded nor changed by a transform, or compare the whole table.',
    explanation: 'The rows of both sides have to be chosen by the same condition.',
  }),
  preparedForCopy: errorKind<{ route: string; position: string }>({
    code: 'TL-4163',
    title: 'The queue was prepared for a copy by other means, and the route is to load its tables itself',
    recovery: 'halt',
    message: ({ route, position }) =>
      `route ${route}: its queue was prepared for a copy as of ${position}, and load.mode is initial, which would drop it`,
    remedy: ({ route }) =>
      `Set load: { mode: none } once the copy is there. Where no copy is to come: "tidelock drop ${route} --yes", then start it.`,
    explanation: 'The queue keeps what was committed since the copy; a load of its own would begin with a new one.',
  }),
  loadRests: errorKind<{ route: string; table: string; keyless: boolean; unfollowed: boolean; more: number }>({
    code: 'TL-4164',
    title: 'Tables lack rows, and nobody goes on to load them',
    recovery: 'usage',
    message: ({ route, table, unfollowed, more }) =>
      `route ${route}: the load of ${table}${more > 0 ? ` and of ${more} more` : ''} was paused or cancelled, or has failed: rows are missing at the target${unfollowed ? `, and of ${table}, which has no key, no change is applied` : ''}`,
    remedy: ({ route, table, keyless }) =>
      `"tidelock jobs list ${route}" tells which; "tidelock jobs resume ID" goes on, "tidelock load ${route} ${table} --existing ${keyless ? 'replace --yes' : 'merge'}" begins anew.`,
    explanation:
      'Changes go on to be applied to what is there. The rows that are not loaded are missing until the load is taken up again, or another one has completed it. Of a table without a key whose load has lost its snapshot nothing is applied until then: what is there goes first.',
  }),
  repairNeedsStream: errorKind<{ route: string }>({
    code: 'TL-4157',
    title: 'A repair needs a route that streams',
    recovery: 'usage',
    message: ({ route }) =>
      `route ${route} does not stream: nobody knows what its rows should be as of the target's position`,
    remedy: ({ route }) => `"tidelock start ${route}", and repair then; "tidelock status ${route}" tells why it rests.`,
    explanation:
      "A row is read at the source and written at the target while the target is at the very position of the source's queue at which it was read. Without the stream newer data could be overwritten with older.",
  }),
  repairDirection: errorKind<{ route: string; from: string; to: string; other: string }>({
    code: 'TL-4158',
    title: 'A repair in a two-way set-up wants to know which side is right',
    recovery: 'usage',
    message: ({ route, from, other }) =>
      `route ${route} carries rows from ${from}, and route ${other} carries them back: say which node is right`,
    remedy: ({ route, from, to, other }) =>
      `"tidelock repair ${route} --from ${from}" where ${from} is right, "tidelock repair ${other} --from ${to}" where ${to} is.`,
    explanation:
      'Both sides are written by applications, so that either may hold the row that is meant. What was written at the side that is repaired, and has not come to the other one yet, is waited for before anything is overwritten.',
  }),
  lookTooLong: errorKind<{ route: string }>({
    code: 'TL-4170',
    title: 'The target has not answered while applying waited for it',
    recovery: 'retry',
    message: ({ route }) =>
      `route ${route}: the target has not answered a job within 10 s; the stream goes on, and the job tries again`,
    remedy: () =>
      'Nothing, where it comes seldom. Else look at what the target is busy with: its disks, its locks, a backend that is stopped.',
    explanation:
      'Rows that change all the time are looked at, and repaired, while applying waits. That is to take milliseconds; where it does not, it is given up, so that the route is not late.',
  }),
  otherWayRests: errorKind<{ route: string; other: string; why: string }>({
    code: 'TL-4171',
    title: 'What was written at the repaired side has not come to the other one',
    recovery: 'halt',
    message: ({ route, other, why }) =>
      `route ${route}: a repair would overwrite what is still on its way by route ${other}, which does not bring it: ${why}`,
    remedy: ({ other }) =>
      `"tidelock status ${other}" tells why. Start it, and resume the job; or take it out of the configuration where nothing is to come from there any more.`,
    explanation:
      'In a two-way set-up a row that was written at the side that is repaired looks like one that differs until it has come to the other side. So a repair waits until everything that it has seen there has come, and repairs only rows that nobody has written since.',
  }),
  repairWhileParked: errorKind<{ route: string }>({
    code: 'TL-4172',
    title: 'Rows without a key are not repaired while transactions are set aside',
    recovery: 'halt',
    message: ({ route }) =>
      `route ${route} has transactions set aside: a row without a key that one of them brings or takes away, too, would come or go once more with its retry`,
    remedy: ({ route }) =>
      `"tidelock parked list ${route}" names them. Retry them, or discard those that the repair is to make good, and begin the repair again; or name the tables that have a key.`,
    explanation:
      'A row that has a key is found by it when its transaction is retried, and the rules for collisions count. Of rows without a key nothing tells that one has come or gone already.',
  }),
  repairWhileLoaded: errorKind<{ route: string; table: string }>({
    code: 'TL-4173',
    title: 'A table without a key is not repaired before its load has ended',
    recovery: 'halt',
    message: ({ route, table }) =>
      `route ${route}: the load of ${table} has not ended, and a row without a key that a repair brings would come once more with it`,
    remedy: ({ route, table }) =>
      `Wait for it ("tidelock status ${route} --watch"), or complete it where it rests ("tidelock load ${route} ${table} --existing replace --yes"); then begin the repair again, or name other tables.`,
    explanation:
      'A row that has a key is found by it when its range is loaded. Of rows without a key nothing tells that one is there already.',
  }),
  repairOtherWay: errorKind<{ route: string; from: string; given: string }>({
    code: 'TL-4159',
    title: 'The route does not carry rows from that node',
    recovery: 'usage',
    message: ({ route, from, given }) => `route ${route} repairs its target from ${from}, not from ${given}`,
    remedy: () => 'Name the route that carries the rows from the node that is right.',
    explanation: "A repair makes the rows of a route's target equal to those of its source.",
  }),
  loadWithoutKey: errorKind<{ route: string; table: string }>({
    code: 'TL-4160',
    title: 'The table has nothing by which it could be loaded in ranges',
    recovery: 'halt',
    message: ({ route, table }) =>
      `route ${route}: ${table} can't be loaded beside the stream: it is gone, or has no key that every old row in the change queue shows`,
    remedy: ({ table }) =>
      `Give ${table} a primary key, or a replica identity with a unique index over NOT NULL columns; without one a table is only loaded in one piece, as the route begins (docs/load.md).`,
    explanation:
      'Ranges are cut by a unique, ascending index over columns that are not null and not generated, and rows that change meanwhile are told by its values. Without one a row that is read could not be told from a row that has changed.',
  }),
  loadAltered: errorKind<{ route: string; table: string }>({
    code: 'TL-4161',
    title: 'The table was altered while it is loaded',
    recovery: 'halt',
    message: ({ route, table }) =>
      `route ${route}: the definition of ${table} at the source is another one than the route knows, so that its load can't go on`,
    remedy: ({ route }) =>
      `Let the target follow, then "tidelock start ${route} --accept-schema-change"; the load goes on where it was. With schemaChanges: evolve the route follows by itself.`,
    explanation:
      'Rows are read by the definition that the stream has come to. No change in the queue has told of the new one within a minute.',
  }),
  loadMadeAnew: errorKind<{ route: string; table: string }>({
    code: 'TL-4165',
    title: 'The table was dropped and made anew while it is loaded',
    recovery: 'halt',
    message: ({ route, table }) =>
      `route ${route}: ${table} at the source is another table than the one whose rows are at the target already`,
    remedy: ({ route, table }) =>
      `Cancel the load ("tidelock jobs", "tidelock jobs cancel ID"), "tidelock start ${route}", and load the table anew: "tidelock load ${route} ${table} --existing replace --yes".`,
    explanation:
      'What was loaded is of a table that is gone. The load would go on behind it, and what the other table has before that place would be missing.',
  }),
  loadPart: errorKind<{ route: string; table: string; problem: string }>({
    code: 'TL-4166',
    title: 'A part of a table that is to be loaded is not told by its key',
    recovery: 'usage',
    message: ({ route, table, problem }) => `route ${route}: the part of ${table} that is to be loaded: ${problem}`,
    remedy: ({ route, table }) =>
      `Use columns of the key and constants (docs/load.md). Rows that other columns tell are mended by "tidelock repair ${route} ${table} --where ...".`,
    explanation:
      'A row that a change takes into the part, or out of it, while that is loaded would be missing at the target: by its key it is the same row throughout.',
  }),
  loadUnfinished: errorKind<{ route: string; table: string }>({
    code: 'TL-4167',
    title: 'Another load of the table was not completed',
    recovery: 'usage',
    message: ({ route, table }) =>
      `route ${route}: ${table} lacks rows that an earlier load was to bring, and that this one would not`,
    remedy: ({ route, table }) =>
      `Resume that one ("tidelock jobs"), or load all of the table: "tidelock load ${route} ${table} --existing replace --yes".`,
    explanation: 'A load that brings less than an earlier one would make a table count as complete that is not.',
  }),
  loadUnderWay: errorKind<{ route: string; table: string }>({
    code: 'TL-4162',
    title: 'The table is being loaded already',
    recovery: 'halt',
    message: ({ route, table }) => `route ${route}: the initial load of ${table} is not complete`,
    remedy: ({ route }) => `Wait for it: "tidelock status ${route} --watch".`,
    explanation: 'A table is loaded by one load at a time.',
  }),
};
