import { type AlterTableCmd, loadModule, type Node, parse, type RangeVar } from 'libpg-query';
import type { DdlChange } from '../../../src/core/change.ts';

/** One command, taken out of the text that the client sent. */
export interface Command {
  readonly text: string;
  /** Names of the columns that it adds. */
  readonly added: readonly string[];
  /** Indexes that it drops or renames, as it names them. */
  readonly indexes: readonly (readonly string[])[];
}

/** Why the command is not carried out. */
export class NotCarried extends Error {}

/**
 * Finds the command in the client's text, by PostgreSQL's own grammar, and judges its form. Throws NotCarried where it can't be told which
 * of several statements it was, and for all that is not known to leave both sides equal.
 */
export async function readCommand({ tag, text, table, obstacle }: DdlChange): Promise<Command> {
  if (obstacle === 'rewrite') throw new NotCarried('it has written the rows anew, perhaps with other values');
  if (obstacle === 'nested')
    throw new NotCarried('it was given within a function or a block, so that its text is not known');
  if (text === null || obstacle === 'text')
    throw new NotCarried('its text is too long, or standard_conforming_strings was off');
  await loadModule();
  const { stmts = [] } = await parse(text).catch(() => {
    throw new NotCarried('its text is not of a grammar that is known here');
  });
  const found = stmts.filter(({ stmt }) => stmt !== undefined && tagOf(stmt) === tag && isOf(stmt, table));
  const [first] = found;
  if (first?.stmt === undefined || found.length > 1)
    throw new NotCarried(
      'the client sent several statements at once, and which of them it was can not be told (one at a time goes through)',
    );
  const { stmt, stmt_location: from = 0, stmt_len: length } = first;
  const bytes = Buffer.from(text, 'utf8');
  const to = length === undefined || length === 0 ? bytes.length : from + length;
  return { text: bytes.subarray(from, to).toString('utf8'), ...judged(stmt) };
}

function tagOf(stmt: Node): string | null {
  if ('AlterTableStmt' in stmt) return stmt.AlterTableStmt.objtype === 'OBJECT_INDEX' ? 'ALTER INDEX' : 'ALTER TABLE';
  if ('IndexStmt' in stmt) return 'CREATE INDEX';
  if ('CommentStmt' in stmt) return 'COMMENT';
  if ('DropStmt' in stmt) return stmt.DropStmt.removeType === 'OBJECT_INDEX' ? 'DROP INDEX' : 'DROP TABLE';
  if ('AlterObjectSchemaStmt' in stmt) return 'ALTER TABLE';
  if (!('RenameStmt' in stmt)) return null;
  return stmt.RenameStmt.renameType === 'OBJECT_INDEX' ? 'ALTER INDEX' : 'ALTER TABLE';
}

function isOf(stmt: Node, table: DdlChange['table']): boolean {
  const relation = relationOf(stmt);
  if (relation === null || table === null) return true;
  const isRenamed = 'RenameStmt' in stmt && stmt.RenameStmt.renameType === 'OBJECT_TABLE';
  const name = isRenamed ? stmt.RenameStmt.newname : relation.relname;
  return name === table.name && (relation.schemaname === undefined || relation.schemaname === table.schema);
}

/** The table that a statement names; null where it names none, or an index. */
function relationOf(stmt: Node): RangeVar | null {
  if ('AlterTableStmt' in stmt && stmt.AlterTableStmt.objtype === 'OBJECT_TABLE')
    return stmt.AlterTableStmt.relation ?? null;
  if ('IndexStmt' in stmt) return stmt.IndexStmt.relation ?? null;
  if ('RenameStmt' in stmt && stmt.RenameStmt.renameType !== 'OBJECT_INDEX') return stmt.RenameStmt.relation ?? null;
  return null;
}

const nothing = { added: [], indexes: [] };

function judged(stmt: Node): Omit<Command, 'text'> {
  if ('AlterTableStmt' in stmt && stmt.AlterTableStmt.objtype === 'OBJECT_TABLE') {
    const commands = (stmt.AlterTableStmt.cmds ?? []).map((cmd) => {
      if (!('AlterTableCmd' in cmd)) throw new NotCarried('its form is not known');
      return cmd.AlterTableCmd;
    });
    return { ...nothing, added: commands.flatMap(addedBy) };
  }
  if ('IndexStmt' in stmt) {
    if (stmt.IndexStmt.concurrent) throw new NotCarried('CONCURRENTLY has no place within a transaction');
    return nothing;
  }
  if ('CommentStmt' in stmt && commented.has(stmt.CommentStmt.objtype ?? '')) return nothing;
  if ('DropStmt' in stmt && stmt.DropStmt.removeType === 'OBJECT_INDEX') {
    const { behavior, concurrent, objects = [] } = stmt.DropStmt;
    if (concurrent) throw new NotCarried('CONCURRENTLY has no place within a transaction');
    if (behavior === 'DROP_CASCADE') throw new NotCarried('CASCADE may drop other things there than at the source');
    return { ...nothing, indexes: objects.map(namesOf) };
  }
  if ('RenameStmt' in stmt) {
    const { renameType, relation, behavior } = stmt.RenameStmt;
    if (behavior === 'DROP_CASCADE') throw new NotCarried('CASCADE may reach other things there than at the source');
    if (renameType === 'OBJECT_COLUMN' || renameType === 'OBJECT_TABCONSTRAINT') return nothing;
    if (renameType === 'OBJECT_INDEX' && relation !== undefined)
      return { ...nothing, indexes: [[relation.schemaname, relation.relname].filter((name) => name !== undefined)] };
    throw new NotCarried('a table that has another name is another table to the route');
  }
  throw new NotCarried('commands of this kind are not carried');
}

function namesOf(node: Node): readonly string[] {
  const items = 'List' in node ? (node.List.items ?? []) : [];
  return items.map((item) => ('String' in item ? (item.String.sval ?? '') : ''));
}

const commented: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_COLUMN',
  'OBJECT_INDEX',
  'OBJECT_TABCONSTRAINT',
]);

/** Those that leave the values of rows alone, or do to them at both sides the same. */
const carried: ReadonlySet<string> = new Set([
  'AT_AddColumn',
  'AT_DropColumn',
  'AT_ColumnDefault',
  'AT_SetNotNull',
  'AT_DropNotNull',
  'AT_AddConstraint',
  'AT_DropConstraint',
  'AT_ValidateConstraint',
  'AT_AlterColumnType',
  'AT_SetStatistics',
  'AT_SetStorage',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
]);

const plainConstraints: ReadonlySet<string> = new Set([
  'CONSTR_NULL',
  'CONSTR_NOTNULL',
  'CONSTR_DEFAULT',
  'CONSTR_CHECK',
  'CONSTR_PRIMARY',
  'CONSTR_UNIQUE',
  'CONSTR_FOREIGN',
  'CONSTR_ATTR_DEFERRABLE',
  'CONSTR_ATTR_NOT_DEFERRABLE',
  'CONSTR_ATTR_DEFERRED',
  'CONSTR_ATTR_IMMEDIATE',
]);

/** Names of the columns that the part of an ALTER TABLE adds. */
function addedBy({ subtype = 'AT_AddColumn', behavior, def }: AlterTableCmd): readonly string[] {
  if (!carried.has(subtype)) throw new NotCarried('a part of it is not carried');
  if (behavior === 'DROP_CASCADE') throw new NotCarried('CASCADE may drop other things there than at the source');
  if (def === undefined || !('ColumnDef' in def)) return [];
  const { colname, constraints = [], raw_default } = def.ColumnDef;
  if (subtype === 'AT_AlterColumnType') {
    if (raw_default !== undefined) throw new NotCarried('USING may give the rows other values');
    return [];
  }
  const isPlain = constraints.every(
    (node) => 'Constraint' in node && plainConstraints.has(node.Constraint.contype ?? ''),
  );
  if (!isPlain) throw new NotCarried('a generated or identity column computes values of its own');
  return colname === undefined ? [] : [colname];
}
