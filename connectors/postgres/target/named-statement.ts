import type { Node, RangeVar } from 'libpg-query';

/** What a statement does to which object, as the event triggers of the source tell it. */
export interface NamedStatement {
  readonly tag: string;
  /** Name of the object after the statement, without its schema; null where the statement does not give one. */
  readonly name: string | null;
  readonly schema: string | null;
  /** The relation as it is found, by the search path, before the statement. */
  readonly relation: RangeVar | null;
}

const kinds: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'TABLE',
  OBJECT_COLUMN: 'TABLE',
  OBJECT_TABCONSTRAINT: 'TABLE',
  OBJECT_INDEX: 'INDEX',
  OBJECT_TYPE: 'TYPE',
  OBJECT_ATTRIBUTE: 'TYPE',
  OBJECT_DOMAIN: 'DOMAIN',
  OBJECT_DOMCONSTRAINT: 'DOMAIN',
  OBJECT_SEQUENCE: 'SEQUENCE',
  OBJECT_SCHEMA: 'SCHEMA',
};

/** Null for a statement of a kind that is not carried. */
export function namedStatement(stmt: Node): NamedStatement | null {
  if ('AlterTableStmt' in stmt) return ofRelation('ALTER', stmt.AlterTableStmt.objtype, stmt.AlterTableStmt.relation);
  if ('CreateStmt' in stmt) return named('CREATE TABLE', stmt.CreateStmt.relation);
  if ('IndexStmt' in stmt) {
    const { relation, idxname } = stmt.IndexStmt;
    return { tag: 'CREATE INDEX', name: idxname ?? null, schema: null, relation: relation ?? null };
  }
  if ('CommentStmt' in stmt) return { tag: 'COMMENT', name: null, schema: null, relation: null };
  if ('CreateSchemaStmt' in stmt)
    return { tag: 'CREATE SCHEMA', name: stmt.CreateSchemaStmt.schemaname ?? null, schema: null, relation: null };
  if ('CompositeTypeStmt' in stmt) return named('CREATE TYPE', stmt.CompositeTypeStmt.typevar, false);
  if ('CreateEnumStmt' in stmt) return listed('CREATE TYPE', stmt.CreateEnumStmt.typeName);
  if ('CreateRangeStmt' in stmt) return listed('CREATE TYPE', stmt.CreateRangeStmt.typeName);
  if ('CreateDomainStmt' in stmt) return listed('CREATE DOMAIN', stmt.CreateDomainStmt.domainname);
  if ('AlterDomainStmt' in stmt) return listed('ALTER DOMAIN', stmt.AlterDomainStmt.typeName);
  if ('AlterEnumStmt' in stmt) return listed('ALTER TYPE', stmt.AlterEnumStmt.typeName);
  if ('CreateSeqStmt' in stmt) return named('CREATE SEQUENCE', stmt.CreateSeqStmt.sequence, false);
  if ('AlterSeqStmt' in stmt) return named('ALTER SEQUENCE', stmt.AlterSeqStmt.sequence, false);
  if ('RenameStmt' in stmt) return renamed(stmt.RenameStmt);
  if ('AlterObjectSchemaStmt' in stmt) return moved(stmt.AlterObjectSchemaStmt);
  if ('AlterOwnerStmt' in stmt) {
    const kind = kinds[stmt.AlterOwnerStmt.objectType ?? ''];
    return kind === undefined ? null : { ...listedIn(stmt.AlterOwnerStmt.object), tag: `ALTER ${kind}` };
  }
  return null;
}

type Rename = Extract<Node, { RenameStmt: unknown }>['RenameStmt'];
type Move = Extract<Node, { AlterObjectSchemaStmt: unknown }>['AlterObjectSchemaStmt'];

function renamed({
  renameType = 'OBJECT_ACCESS_METHOD',
  relationType,
  relation,
  newname,
  object,
}: Rename): NamedStatement | null {
  const isOfOther = renameType === 'OBJECT_COLUMN' && relationType !== 'OBJECT_TABLE';
  const kind = kinds[renameType];
  if (kind === undefined || isOfOther) return null;
  const isItself = [
    'OBJECT_TABLE',
    'OBJECT_INDEX',
    'OBJECT_TYPE',
    'OBJECT_DOMAIN',
    'OBJECT_SEQUENCE',
    'OBJECT_SCHEMA',
  ].includes(renameType);
  const before =
    relation === undefined ? listedIn(object) : { name: relation.relname ?? null, schema: relation.schemaname ?? null };
  return {
    tag: `ALTER ${kind}`,
    name: isItself ? (newname ?? null) : renameType === 'OBJECT_DOMCONSTRAINT' ? null : before.name,
    schema: before.schema,
    relation: kind === 'TABLE' ? (relation ?? null) : null,
  };
}

function moved({ objectType = 'OBJECT_ACCESS_METHOD', relation, object, newschema }: Move): NamedStatement | null {
  const kind = kinds[objectType];
  if (kind === undefined) return null;
  const name = relation === undefined ? listedIn(object).name : (relation.relname ?? null);
  return {
    tag: `ALTER ${kind}`,
    name,
    schema: newschema ?? null,
    relation: kind === 'TABLE' ? (relation ?? null) : null,
  };
}

function ofRelation(verb: string, objtype: string | undefined, relation: RangeVar | undefined): NamedStatement | null {
  const kind = kinds[objtype ?? ''];
  if (kind === undefined) return null;
  return named(`${verb} ${kind}`, relation, kind === 'TABLE');
}

function named(tag: string, relation: RangeVar | undefined, isTable = true): NamedStatement {
  const isFound = isTable && tag !== 'CREATE TABLE';
  return {
    tag,
    name: relation?.relname ?? null,
    schema: relation?.schemaname ?? null,
    relation: isFound ? (relation ?? null) : null,
  };
}

function listed(tag: string, names: readonly Node[] | undefined): NamedStatement {
  return { tag, relation: null, ...ofNames(names ?? []) };
}

function listedIn(object: Node | undefined): NamedStatement {
  const none = { tag: '', relation: null };
  if (object === undefined) return { ...none, name: null, schema: null };
  if ('List' in object) return { ...none, ...ofNames(object.List.items ?? []) };
  if ('TypeName' in object) return { ...none, ...ofNames(object.TypeName.names ?? []) };
  if ('String' in object) return { ...none, ...ofNames([object]) };
  return { ...none, name: null, schema: null };
}

function ofNames(names: readonly Node[]): { name: string | null; schema: string | null } {
  const texts = names.map((node) => ('String' in node ? (node.String.sval ?? '') : ''));
  return { name: texts.at(-1) ?? null, schema: texts.at(-2) ?? null };
}
