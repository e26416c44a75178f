import type { Collation } from './binlog/values/charsets.ts';
import { readStatement, type Statement, type StatementPlace } from './read-statement.ts';
import { asFarAsReadable } from './readable-command.ts';

export interface UnreadPlace extends Omit<StatementPlace, 'decode'> {
  readonly client: Collation | null;
  isFollowed(database: string): boolean;
}

/** Statements that name no table or database. */
const nameless: ReadonlySet<Statement['kind']> = new Set([
  ...(['begin', 'commit', 'rollback', 'release', 'xaCommit', 'xaRollback', 'other'] as const),
]);

/**
 * What a command is whose names are not read, since its bytes are no text of its charset, or nobody knows what they mean: null where it may be about a database that
 * is followed. No sign of the grammar is one of the bytes of a longer character but for the backtick and the backslash, so that its keywords are what they seem.
 */
export function readUnread(text: string, { client, isFollowed, ...place }: UnreadPlace): Statement | null {
  const statement = readStatement(text, { ...place, decode: (name) => name });
  // Rows of nobody knows which tables halt in any case.
  if (nameless.has(statement.kind) || (statement.kind === 'rows' && statement.tables === null)) return statement;
  if (statement.kind === 'savepoint' || statement.kind === 'rollbackTo') return null;
  if (isFollowed(place.database) || namesIn(text, client).some(isFollowed)) return null;
  // What it is about is nobody's; its rows may come behind it.
  const opens = statement.kind === 'definition' && statement.opens;
  return { kind: opens ? 'begin' : 'other' };
}

/**
 * Whatever may be a name: what stands between signs, as ASCII and as text. Of the latter a character may be taken for the end of the one before, which is no text;
 * the former has no characters but those.
 */
function namesIn(text: string, client: Collation | null): readonly string[] {
  const readable = [text, asFarAsReadable(text, client)];
  return readable.flatMap((one) => [...one.split(/[`"]/), ...one.split(/[\s\0`"'.,;()=*/]+/)]);
}
