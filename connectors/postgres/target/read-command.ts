import type { Node, RangeVar } from 'libpg-query';
import type { DdlChange } from '../../../src/core/change.ts';
import { judgeAlter } from './judge-alter.ts';
import { namedStatement } from './named-statement.ts';
import { NotCarried } from './not-carried.ts';

/** One command, to be carried out at the target. */
export interface Command {
  readonly text: string;
  /** The relation that it is about, as its text names it; null where it names none that is there. */
  readonly relation: RangeVar | null;
  /** The columns whose type it changes: both types decide whether the values are the same at both sides. */
  readonly retyped: readonly string[];
  /** The columns that it adds in a rewrite and that have what their type says: the default of a domain. */
  readonly defaulted: readonly string[];
  /** It has nothing to do with rows and is meant for its own side: an owner, a trigger that is switched off. */
  readonly leftOut: boolean;
}

/**
 * Finds the command in the client's text, by PostgreSQL's own grammar, and judges its form. Throws NotCarried where it can't be told which
 * of several statements it was, and for all that is not known to leave both sides equal.
 */
export async function readCommand(change: DdlChange): Promise<Command> {
  const { statement, text, obstacle } = change;
  if (obstacle !== null) throw new NotCarried(obstacle);
  if (statement !== null) return { text: statement, ...plain };
  if (text === null) throw new NotCarried('its text is not known');
  // 20 MB, for the routes that carry commands.
  const { loadModule, parse } = await import('libpg-query');
  await loadModule();
  const { stmts = [] } = await parse(text).catch(() => {
    throw new NotCarried('its text is not of a grammar that is known here');
  });
  const found = stmts.filter(({ stmt }) => stmt !== undefined && isOf(stmt, change));
  // Each command of a text is told by itself, in their order.
  const one = found[change.ordinal];
  if (one?.stmt === undefined) throw new NotCarried('which statement of its text it was can not be told');
  const { stmt, stmt_location: from = 0, stmt_len: length } = one;
  const bytes = Buffer.from(text, 'utf8');
  const to = length === undefined || length === 0 ? bytes.length : from + length;
  return {
    ...plain,
    text: bytes.subarray(from, to).toString('utf8'),
    ...judged(stmt, change),
    relation: namedStatement(stmt)?.relation ?? null,
  };
}

const plain = { relation: null, retyped: [], defaulted: [], leftOut: false };

/** A comment is counted among all comments of its text; the others among those on the same object. */
function isOf(stmt: Node, { tag, name, table }: DdlChange): boolean {
  const named = namedStatement(stmt);
  if (named?.tag !== tag) return false;
  if (tag === 'COMMENT') return !('CommentStmt' in stmt && sharedObjects.has(stmt.CommentStmt.objtype ?? ''));
  if (tag === 'CREATE INDEX') {
    if (named.name !== null && named.name !== name) return false;
    return table === null || named.relation?.relname === table.name;
  }
  return named.name === null || named.name === name;
}

const sharedObjects: ReadonlySet<string> = new Set(['OBJECT_DATABASE', 'OBJECT_ROLE', 'OBJECT_TABLESPACE']);

type Judged = Partial<Pick<Command, 'retyped' | 'defaulted' | 'leftOut'>> & { readonly text?: string };

function judged(stmt: Node, change: DdlChange): Judged {
  if ('AlterOwnerStmt' in stmt) return { leftOut: true };
  if ('AlterTableStmt' in stmt) return judgeAlter(stmt.AlterTableStmt, change.rewritten);
  if ('IndexStmt' in stmt && stmt.IndexStmt.concurrent)
    throw new NotCarried('CONCURRENTLY has no place within a transaction');
  if ('CommentStmt' in stmt) return commented.has(stmt.CommentStmt.objtype ?? '') ? {} : { leftOut: true };
  if ('CreateSchemaStmt' in stmt && (stmt.CreateSchemaStmt.schemaElts ?? []).length > 0)
    throw new NotCarried('it makes other things with the schema: one statement at a time goes through');
  if ('AlterDomainStmt' in stmt && stmt.AlterDomainStmt.behavior === 'DROP_CASCADE')
    throw new NotCarried('CASCADE may reach other things there than at the source');
  if ('RenameStmt' in stmt) return judgeRename(stmt.RenameStmt);
  if (
    'AlterObjectSchemaStmt' in stmt &&
    !['OBJECT_TABLE', 'OBJECT_SEQUENCE'].includes(stmt.AlterObjectSchemaStmt.objectType ?? '')
  )
    throw new NotCarried('what it moves has another name in each table that uses it');
  return {};
}

function judgeRename({
  renameType = 'OBJECT_ACCESS_METHOD',
  behavior,
}: Extract<Node, { RenameStmt: unknown }>['RenameStmt']): Judged {
  if (behavior === 'DROP_CASCADE') throw new NotCarried('CASCADE may reach other things there than at the source');
  if (['OBJECT_TYPE', 'OBJECT_DOMAIN'].includes(renameType))
    throw new NotCarried('a type has another name in each table that uses it then');
  if (renameType === 'OBJECT_SCHEMA')
    throw new NotCarried('tables of a schema that has another name are other tables to the route');
  return {};
}

const commented: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_COLUMN',
  'OBJECT_INDEX',
  'OBJECT_TABCONSTRAINT',
  'OBJECT_TYPE',
  'OBJECT_DOMAIN',
  'OBJECT_DOMCONSTRAINT',
  'OBJECT_SEQUENCE',
  'OBJECT_SCHEMA',
]);
