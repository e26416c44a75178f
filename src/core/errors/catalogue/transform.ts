import { errorKind } from '../tidelock-error.ts';

interface TablePlace {
  readonly route: string;
  readonly table: string;
}

const fullIdentity = 'ALTER TABLE ... REPLICA IDENTITY FULL';

/** What the configuration makes of rows, and what of it can't be done. */
export const transformErrors = {
  failed: errorKind<TablePlace & { position: string; transform: string; reason: string }>({
    code: 'TL-4501',
    title: 'A transform has no value for a row',
    recovery: 'halt',
    message: ({ route, table, position, transform, reason }) =>
      `route ${route} halted: ${transform} failed for a row of ${table} at ${position}: ${reason}`,
    remedy: ({ route }) =>
      `Let the transform cover this case (a default, a condition, another type), or mend the row at the source. Then "tidelock start ${route}".`,
    explanation:
      'A transform is never skipped, and a value is never guessed. The row itself is not told: look for it at the source by the position.',
  }),
  needsOldValues: errorKind<TablePlace & { column: string; what: string }>({
    code: 'TL-4502',
    title: 'A transform needs old values that the source does not log',
    recovery: 'halt',
    message: ({ route, table, column, what }) =>
      `route ${route}: ${what} of ${table} reads ${column}, whose old value is not in the log`,
    remedy: ({ table }) =>
      `Let the source log whole old rows of ${table}: ${fullIdentity}. Or use only columns of the key in it.`,
    explanation:
      'Updates and deletes have to find the row that was made of the old values. Without these it is not known whether there is one, or where.',
  }),
  incompleteRow: errorKind<TablePlace & { position: string; column: string }>({
    code: 'TL-4503',
    title: 'A row that begins to belong to the target is not complete in the log',
    recovery: 'halt',
    message: ({ route, table, position, column }) =>
      `route ${route} halted: an update of ${table} at ${position} brings a row to the target, and its value of ${column} is not in the log`,
    remedy: ({ table }) =>
      `Let the source log whole old rows of ${table}: ${fullIdentity}. Then copy the row by hand and skip the transaction, or load the table again.`,
    explanation: 'PostgreSQL does not log large values that did not change. Tidelock never writes a placeholder.',
  }),
  truncated: errorKind<TablePlace & { position: string; why: string }>({
    code: 'TL-4504',
    title: 'A truncate of a table whose rows at the target can not be told from others',
    recovery: 'halt',
    message: ({ route, table, position, why }) =>
      `route ${route} halted: ${table} was truncated at ${position}, and ${why}`,
    remedy: ({ route }) =>
      `Delete by hand at the target what came from it, and set the transaction aside with "tidelock skip ${route}"; or let the column travel as it is, and "tidelock start ${route}". Truncates that are not to travel at all: dropOperation: [truncate].`,
    explanation:
      'Emptying the target table would remove rows that did not come from here. Where the rows show by which values they were let through, only those are deleted.',
  }),
  keyLost: errorKind<TablePlace & { column: string }>({
    code: 'TL-4505',
    title: 'The key at the target does not tell the rows of the source apart',
    recovery: 'halt',
    message: ({ route, table, column }) =>
      `route ${route}: the target's key of ${table} does not carry ${column}, which is part of the key at the source`,
    remedy: ({ column }) => `Add ${column} to \`key\` of the table, or leave \`key\` out.`,
    explanation: 'Two rows of the source would become one at the target.',
  }),
  keyNeeded: errorKind<TablePlace & { what: string }>({
    code: 'TL-4506',
    title: 'A transform needs a key',
    recovery: 'halt',
    message: ({ route, table, what }) => `route ${route}: ${what} of ${table} needs columns that identify a row`,
    remedy: () => 'Name them with `key` at the table, with a unique index over them at the target.',
    explanation: 'Rows that stay at the target when the source deletes them have to be found again.',
  }),
  keptUntold: errorKind<TablePlace>({
    code: 'TL-4512',
    title: 'Nothing at the source tells rows apart that are to stay at the target',
    recovery: 'halt',
    message: ({ route, table }) =>
      `route ${route}: softDelete or keepAll of ${table}, which has no primary key and no unique index that is checked at once over columns that are NOT NULL`,
    remedy: ({ table }) => `Give ${table} a primary key at the source, and put its columns into \`key\` at the table.`,
    explanation:
      'Where whole rows are logged (REPLICA IDENTITY FULL) `key` says what identifies a row at the target. Of two rows of the source with one key the second would replace the first, as a new row replaces a deleted one.',
  }),
  expression: errorKind<TablePlace & { expression: string; problem: string }>({
    code: 'TL-4507',
    title: 'An expression does not fit the columns of its table',
    recovery: 'halt',
    message: ({ route, table, expression, problem }) =>
      `route ${route}: the expression ${expression} of ${table}: ${problem}`,
    remedy: () => 'Correct the expression. docs/expressions.md tells what there is.',
    explanation: 'Expressions are checked against the columns and types of each version of the table.',
  }),
  exit: errorKind<TablePlace & { file: string; problem: string }>({
    code: 'TL-4508',
    title: 'A user exit can not be used',
    recovery: 'halt',
    message: ({ route, table, file, problem }) => `route ${route}: the user exit ${file} of ${table}: ${problem}`,
    remedy: () => 'Correct the module. docs/transforms.md has its contract and an example.',
    explanation: 'A user exit is loaded and bound when the route starts, and again for each version of its table.',
  }),
  outputsDiffer: errorKind<TablePlace & { target: string }>({
    code: 'TL-4509',
    title: 'Rows of one target table have different columns',
    recovery: 'halt',
    message: ({ route, table, target }) =>
      `route ${route}: rows of ${table} go to ${target} in two ways that do not have the same columns`,
    remedy: () => 'Give them the same `columns`, or different targets.',
    explanation: 'A column that only some of the rows have would be filled by a guess in the others.',
  }),
  share: errorKind<TablePlace & { owns: string; problem: string }>({
    code: 'TL-4510',
    title: 'A share of a target table does not tell whose a row is',
    recovery: 'halt',
    message: ({ route, table, owns, problem }) => `route ${route}: owns (${owns}) of ${table}: ${problem}`,
    remedy: () =>
      'Use columns of the key at the target in it (name them with `key` at the table, with a unique index over them at the target), and constants. docs/load.md has an example.',
    explanation:
      'What a route may load, change, truncate, compare and repair of a table that others write, too, is decided by the key of a row: then no change of one route can reach a row of another.',
  }),
  outsideShare: errorKind<TablePlace & { position: string }>({
    code: 'TL-4511',
    title: "A row is outside of the route's share of its target table",
    recovery: 'halt',
    message: ({ route, table, position }) =>
      `route ${route} halted: a row of ${table} at ${position} is not in what the route owns of its target table`,
    remedy: ({ route }) =>
      `Correct \`owns\`, leave such rows out with \`where\`, or mend the row at the source. Then "tidelock start ${route}".`,
    explanation:
      'The row would be one of another route, or of nobody. The row itself is not told: look for it at the source by the position.',
  }),
};
