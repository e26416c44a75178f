import type { CommentStmt, Node, RangeVar, RawStmt } from 'libpg-query';
import type { DdlChange } from '../../../src/core/change.ts';
import { loadSqlGrammar } from '../../../src/core/sql-grammar.ts';
import { judgeAlter, withoutPlaces } from './judge-alter.ts';
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
  const { tag, statement, text, obstacle } = change;
  if (obstacle !== null) throw new NotCarried(obstacle);
  if (statement !== null) return { text: statement, ...plain };
  if (text === null) throw new NotCarried('its text is not known');
  const stmts = await statementsOf(text);
  if (stmts === null) throw new NotCarried('its text is not of a grammar that is known here');
  const found = candidates(stmts, change);
  // Each command of a text is told by itself, in their order. A block may give one text again and again.
  const one = found.length === 1 ? found[0] : found[change.ordinal];
  if (one?.stmt === undefined) throw new NotCarried('which statement of its text it was can not be told');
  if (tag === 'CREATE INDEX' && !hasName(one.stmt, change.name))
    throw new NotCarried('which statement of its text it was can not be told');
  if (found.length > 1 && mayBeSkipped(stmts, found))
    throw new NotCarried(
      'IF EXISTS may have left out one of several statements of its text: one at a time goes through',
    );
  const { stmt, stmt_location: from = 0, stmt_len: length } = one;
  const bytes = Buffer.from(text, 'utf8');
  const to = length === undefined || length === 0 ? bytes.length : from + length;
  const own = bytes.subarray(from, to).toString('utf8');
  return {
    ...plain,
    text: await textAtTarget(own, stmt),
    ...judged(stmt, change),
    relation: namedStatement(stmt)?.relation ?? null,
  };
}

/** Null where it is of another grammar. */
async function statementsOf(text: string): Promise<readonly RawStmt[] | null> {
  const { parse } = await loadSqlGrammar();
  return await parse(text).then(
    ({ stmts }) => stmts ?? [],
    () => null,
  );
}

async function textAtTarget(text: string, stmt: Node): Promise<string> {
  if ('IndexStmt' in stmt && stmt.IndexStmt.concurrent) return await withoutConcurrently(text, stmt);
  return 'AlterTableStmt' in stmt && JSON.stringify(stmt).includes(cascades) ? await withoutCascade(text, stmt) : text;
}

const cascades = '"behavior":"DROP_CASCADE"';

/**
 * What the source has dropped along is not told. Without CASCADE the target's server refuses where it has anything that depends on it, and else becomes what the source
 * is: views and functions are not carried.
 */
async function withoutCascade(text: string, stmt: Node): Promise<string> {
  const plainly = text.replace(/\bcascade\b/gi, 'RESTRICT');
  const [made, ...more] = (await statementsOf(plainly)) ?? [];
  const wanted = withoutPlaces(stmt).replaceAll(cascades, '"behavior":"DROP_RESTRICT"');
  if (more.length === 0 && withoutPlaces(made?.stmt) === wanted) return plainly;
  throw new NotCarried('CASCADE may drop other things there than at the source');
}

/** The same index, made in one transaction, in which the command has a place: nobody else writes to the target's table meanwhile. */
async function withoutConcurrently(text: string, stmt: Node): Promise<string> {
  const plainly = text.replace(/\bconcurrently\b/i, '');
  const stmts = await statementsOf(plainly);
  const made = stmts?.length === 1 ? stmts[0]?.stmt : undefined;
  if ('IndexStmt' in stmt && made !== undefined && 'IndexStmt' in made) {
    const { concurrent: _, ...wanted } = stmt.IndexStmt;
    if (withoutPlaces(made.IndexStmt) === withoutPlaces(wanted)) return plainly;
  }
  throw new NotCarried('CONCURRENTLY has no place within a transaction');
}

function hasName(stmt: Node, name: string): boolean {
  const given = namedStatement(stmt)?.name ?? null;
  return given === null || given === name;
}

/** Nothing is told of a statement that has found nothing to do, so that the others would be counted wrongly. What is altered IF EXISTS is there, unless its text has made it. */
function mayBeSkipped(all: readonly RawStmt[], found: readonly RawStmt[]): boolean {
  const says = (statements: readonly RawStmt[], word: string): boolean =>
    statements.some(
      ({ stmt }) => stmt !== undefined && Object.values(stmt).some((node) => Object(node)[word] === true),
    );
  const isMade = all.some(({ stmt }) => stmt !== undefined && makers.some((kind) => kind in stmt));
  return says(found, 'if_not_exists') || (isMade && says(found, 'missing_ok'));
}

const makers = ['CreateStmt', 'CreateTableAsStmt', 'SelectStmt', 'RenameStmt', 'AlterObjectSchemaStmt'];

const plain = { relation: null, retyped: [], defaulted: [], leftOut: false };

/**
 * Those that the command may be, as the source has counted them (ddl-reader.ts): on objects of one name; of comments and domains all; of indexes those on
 * tables of one name, where not each has a name of its own.
 */
function candidates(stmts: readonly RawStmt[], change: DdlChange): readonly RawStmt[] {
  const found = stmts.filter(({ stmt }) => stmt !== undefined && isOf(stmt, change));
  if (change.tag !== 'CREATE INDEX') return found;
  const names = found.map(({ stmt }) => (stmt === undefined ? null : (namedStatement(stmt)?.name ?? null)));
  const own = found.filter((_, at) => names[at] === change.name);
  return own.length === 1 && !names.includes(null) ? own : found;
}

function isOf(stmt: Node, { tag, name, table }: DdlChange): boolean {
  const named = namedStatement(stmt);
  if (named?.tag !== tag) return false;
  if (tag === 'ALTER DOMAIN') return true;
  if (tag === 'COMMENT') return !('CommentStmt' in stmt && sharedObjects.has(stmt.CommentStmt.objtype ?? ''));
  if (tag === 'CREATE INDEX') return table === null || named.relation?.relname === table.name;
  // Nothing is told of temporary tables.
  if ('CreateStmt' in stmt && stmt.CreateStmt.relation?.relpersistence === 't') return false;
  return named.name === null || named.name === name;
}

/** A comment on what is not told, as a temporary table, would let the next one be taken for another. */
function namesIt({ object }: CommentStmt, { name, table }: DdlChange): boolean {
  const names = [...JSON.stringify(object ?? {}).matchAll(/"sval":("(?:[^"\\]|\\.)*")/g)].map((found) =>
    JSON.parse(found[1] ?? '""'),
  );
  return names.includes(name) || (table !== null && names.includes(table.name));
}

const sharedObjects: ReadonlySet<string> = new Set(['OBJECT_DATABASE', 'OBJECT_ROLE', 'OBJECT_TABLESPACE']);

type Judged = Partial<Pick<Command, 'retyped' | 'defaulted' | 'leftOut'>> & { readonly text?: string };

function judged(stmt: Node, change: DdlChange): Judged {
  if ('AlterOwnerStmt' in stmt) return { leftOut: true };
  if ('AlterTableStmt' in stmt) return judgeAlter(stmt.AlterTableStmt, change.rewritten);
  if ('CommentStmt' in stmt) {
    if (!commented.has(stmt.CommentStmt.objtype ?? '')) return { leftOut: true };
    if (stmt.CommentStmt.objtype === 'OBJECT_DOMCONSTRAINT' || namesIt(stmt.CommentStmt, change)) return {};
    throw new NotCarried('which statement of its text it was can not be told');
  }
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
