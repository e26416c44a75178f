import type { TypeDefinition } from '../../src/core/table.ts';

/** What reading definitions needs of a connection. */
interface Session {
  query(text: string, values: unknown[]): Promise<{ readonly rows: Record<string, unknown>[] }>;
}

interface CatalogueType {
  readonly oid: string;
  readonly name: string;
  readonly kind: string;
  readonly element: string | null;
  readonly base: string | null;
  readonly modifier: number;
  readonly fields: readonly { readonly name: string; readonly type: string; readonly modifier: number }[];
  readonly labels: readonly string[];
  readonly subtype: string | null;
  readonly range: string | null;
}

/**
 * The modifier that "char" has here on a server before PostgreSQL 15. Newer ones write a byte that is not ASCII as a
 * backslash and three digits, of which an older one takes the backslash and says nothing.
 */
export const asciiChar = 7;

/** Every type that columns of the tables have, and every type that one of those is made of. */
const typesQuery = `
  WITH RECURSIVE used (oid) AS (
    SELECT DISTINCT atttypid FROM pg_attribute WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped
  ), made (oid) AS (
    SELECT oid FROM used
    UNION
    SELECT p.oid FROM made m JOIN pg_type t ON t.oid = m.oid CROSS JOIN LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL SELECT e.oid FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.typtype = 'r' AND r.rngtypid = t.oid
      UNION ALL SELECT r.rngtypid FROM pg_range r WHERE t.typtype = 'm' AND r.rngmultitypid = t.oid
    ) p (oid)
  )
  SELECT t.oid::int8::text AS oid, n.nspname || '.' || t.typname AS name, t.typtype::text AS kind,
    CASE WHEN t.oid = '"char"'::regtype AND current_setting('server_version_num')::int < 150000 THEN ${asciiChar}
      ELSE t.typtypmod END AS modifier,
    nullif(t.typbasetype, 0)::int8::text AS base,
    (SELECT e.oid::int8::text FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid) AS element,
    ARRAY(SELECT json_build_object('name', a.attname, 'type', a.atttypid::int8::text, 'modifier', a.atttypmod) FROM pg_attribute a
      WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS fields,
    ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) AS labels,
    (SELECT rngsubtype::int8::text FROM pg_range WHERE rngtypid = t.oid) AS subtype,
    (SELECT rngtypid::int8::text FROM pg_range WHERE rngmultitypid = t.oid) AS range
  FROM made m JOIN pg_type t ON t.oid = m.oid JOIN pg_namespace n ON n.oid = t.typnamespace`;

const columnsQuery = `
  SELECT attrelid::int8::text AS relation, attname AS name, atttypid::int8::text AS type, atttypmod AS modifier
  FROM pg_attribute WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped`;

type ColumnTypes = ReadonlyMap<string, ReadonlyMap<string, TypeDefinition>>;

/** Between the two queries a command has changed what they ask for. */
class TypeGone extends Error {}

/** Somebody who makes types and columns faster than they can be read is not waited for. */
const mostReadings = 5;

/** Definitions of the columns' types, by the oid of the table and the column's name. */
export async function readColumnTypes(session: Session, tables: readonly string[]): Promise<ColumnTypes> {
  for (let readings = 1; ; readings++)
    try {
      return await readOnce(session, tables);
    } catch (error) {
      if (!(error instanceof TypeGone) || readings === mostReadings) throw error;
    }
}

async function readOnce(session: Session, tables: readonly string[]): Promise<ColumnTypes> {
  const { rows } = await session.query(typesQuery, [tables]);
  const types = new Map((rows as unknown as CatalogueType[]).map((type) => [type.oid, type]));
  const made = new Map<string, TypeDefinition>();
  const definition = (oid: string, modifier: number): TypeDefinition => {
    const key = `${oid} ${modifier}`;
    const known = made.get(key) ?? defineType(types, oid, modifier, definition);
    made.set(key, known);
    return known;
  };
  const found = new Map<string, Map<string, TypeDefinition>>(tables.map((table) => [table, new Map()]));
  for (const { relation, name, type, modifier } of (await session.query(columnsQuery, [tables])).rows)
    found.get(String(relation))?.set(String(name), definition(String(type), Number(modifier)));
  return found;
}

function defineType(
  types: ReadonlyMap<string, CatalogueType>,
  oid: string,
  modifier: number,
  define: (oid: string, modifier: number) => TypeDefinition,
): TypeDefinition {
  const type = types.get(oid);
  if (type === undefined) throw new TypeGone(`type ${oid} is gone`);
  const { name } = type;
  // The server applies the first modifier on the way from a domain to its base, and an array's to its elements.
  if (type.base !== null) return define(type.base, modifier === -1 ? type.modifier : modifier);
  if (type.element !== null) return { kind: 'array', element: define(type.element, modifier) };
  if (type.kind === 'e') return { kind: 'enum', name, labels: type.labels };
  if (type.kind === 'c') {
    const fields = type.fields.map((field) => ({ name: field.name, type: define(field.type, field.modifier) }));
    return { kind: 'composite', name, fields };
  }
  if (type.subtype !== null) return { kind: 'range', name, subtype: define(type.subtype, -1) };
  if (type.range !== null) return { kind: 'range', name, subtype: define(type.range, -1) };
  return { kind: 'base', name, modifier: modifier === -1 ? type.modifier : modifier };
}

/** Names of the types that values are made of in the end: neither arrays nor composites nor ranges. */
export function leafTypes(definition: TypeDefinition): readonly string[] {
  switch (definition.kind) {
    case 'array':
      return leafTypes(definition.element);
    case 'composite':
      return definition.fields.flatMap(({ type }) => leafTypes(type));
    case 'range':
      return leafTypes(definition.subtype);
    case 'enum':
      return [];
    case 'base':
      return [definition.name];
  }
}
