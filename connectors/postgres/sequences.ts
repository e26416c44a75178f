import type pg from 'pg';
import type { RouteDefinition } from '../../src/core/route.ts';
import type { Sequence, SequenceMove, SequenceSet, SequenceState } from '../../src/core/sequence.ts';
import { type TableName, tableLabel } from '../../src/core/table.ts';
import type { TablePattern } from '../../src/core/table-pattern.ts';
import { isPostgresError } from './classify-error.ts';
import { quoteTable } from './identifiers.ts';

/**
 * Those that give columns their values: of serial and identity columns, by ALTER SEQUENCE ... OWNED BY, and those that a
 * column's default names. One that several columns share is there once for each.
 */
const ownedQuery = `
  SELECT sn.nspname AS schema, s.relname AS name, n.nspname AS table_schema, c.relname AS table_name, a.attname AS column,
    q.seqincrement::text AS increment, q.seqmin::text AS min, q.seqmax::text AS max, q.seqcycle AS cycles
  FROM unnest($1::text[], $2::text[]) w (schema, name)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  JOIN LATERAL (
    SELECT d.objid AS sequence, d.refobjsubid AS number FROM pg_depend d
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    UNION SELECT d.refobjid, f.adnum FROM pg_attrdef f
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
    WHERE f.adrelid = c.oid
  ) u ON true
  JOIN pg_class s ON s.oid = u.sequence AND s.relkind = 'S'
  JOIN pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_sequence q ON q.seqrelid = s.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
  ORDER BY 1, 2`;

const allQuery = `
  SELECT n.nspname AS schema, s.relname AS name, q.seqincrement::text AS increment,
    q.seqmin::text AS min, q.seqmax::text AS max, q.seqcycle AS cycles
  FROM pg_sequence q JOIN pg_class s ON s.oid = q.seqrelid JOIN pg_namespace n ON n.oid = s.relnamespace
  WHERE s.relpersistence <> 't' AND n.nspname <> 'tidelock' ORDER BY 1, 2`;

/**
 * last_value of the sequence itself is beyond everything that sessions have taken in advance (CACHE), so that no margin is
 * needed for them; pg_sequences would hide whether it was ever called.
 */
export async function readSequences(client: pg.Client, tables: readonly TableName[]): Promise<Sequence[]> {
  const { rows } = await client.query(ownedQuery, [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]);
  const sequences: Sequence[] = [];
  for (const row of rows)
    sequences.push({
      ...(await readState(client, row)),
      table: { schema: String(row.table_schema), name: String(row.table_name) },
      column: String(row.column),
    });
  return sequences;
}

export async function readNamedSequences(
  client: pg.Client,
  patterns: readonly TablePattern[],
): Promise<SequenceState[]> {
  const sequences: SequenceState[] = [];
  for (const row of await namedRows(client, patterns)) sequences.push(await readState(client, row));
  return sequences;
}

async function namedRows(client: pg.Client, patterns: readonly TablePattern[]): Promise<readonly pg.QueryResultRow[]> {
  if (patterns.length === 0) return [];
  const { rows } = await client.query(allQuery);
  return rows.filter(({ schema, name }) => patterns.some((pattern) => pattern.matches(String(schema), String(name))));
}

async function readState(client: pg.Client, row: pg.QueryResultRow): Promise<SequenceState> {
  const name = { schema: String(row.schema), name: String(row.name) };
  const state = await client.query(`SELECT last_value::text AS value, is_called AS called FROM ${quoteTable(name)}`);
  return {
    name,
    value: BigInt(state.rows[0]?.value),
    called: state.rows[0]?.called === true,
    increment: BigInt(row.increment),
    min: BigInt(row.min),
    max: BigInt(row.max),
    cycles: row.cycles === true,
  };
}

/** Of the tables' columns, and those that the route names, as far as they are there; without those that it leaves alone. */
export async function carriedSequences(
  client: pg.Client,
  { include, exclude }: RouteDefinition['sequences'],
  tables: readonly TableName[],
): Promise<TableName[]> {
  const { rows } = await client.query(ownedQuery, [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]);
  const names = new Map<string, TableName>();
  for (const row of [...rows, ...(await namedRows(client, include))]) {
    const name = { schema: String(row.schema), name: String(row.name) };
    if (!exclude.some((pattern) => pattern.matches(name.schema, name.name))) names.set(tableLabel(name), name);
  }
  return [...names.values()];
}

export interface MissingSequenceRight {
  readonly sequence: TableName;
  readonly user: string;
  readonly privileges: readonly string[];
}

/** Of these sequences those on which the user lacks some of the privileges. */
export async function readSequenceRights(
  client: pg.Client,
  sequences: readonly TableName[],
  privileges: readonly string[],
): Promise<MissingSequenceRight[]> {
  const { rows } = await client.query(
    `SELECT q.schema, q.name, current_user::text AS user, q.missing FROM (
       SELECT s.schema, s.name, ARRAY(SELECT p FROM unnest($3::text[]) p
         WHERE NOT has_sequence_privilege((SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = s.schema AND c.relname = s.name), p)) AS missing
       FROM unnest($1::text[], $2::text[]) s (schema, name)) q
     WHERE q.missing <> '{}'`,
    [sequences.map(({ schema }) => schema), sequences.map(({ name }) => name), privileges],
  );
  return rows.map((row) => ({
    sequence: { schema: String(row.schema), name: String(row.name) },
    user: String(row.user),
    privileges: row.missing as string[],
  }));
}

/**
 * Looked at and set by one statement: whoever takes numbers meanwhile makes it go further than it was when it was read. A number that is taken within that
 * statement may still be given once more: the server has no lock on a sequence for one who does not own it.
 */
export async function setSequence(client: pg.Client, move: SequenceMove): Promise<SequenceSet> {
  const { target, value, called, isOrderless } = move;
  const next = called ? value + target.increment : value;
  const theirs = 'CASE WHEN s.is_called THEN s.last_value + $5::numeric ELSE s.last_value END';
  try {
    const { rowCount } = await client.query(
      `SELECT setval($1::text::regclass, $2, $3) FROM ${quoteTable(target.name)} s
       WHERE $4 OR (${theirs} - $6::numeric) * sign($5::numeric) < 0`,
      [quoteTable(target.name), value.toString(), called, isOrderless, target.increment.toString(), next.toString()],
    );
    return rowCount === 1 ? 'set' : 'ahead';
  } catch (error) {
    if (!isPostgresError(error) || /^(08|57P|53)/.test(error.code)) throw error;
    return { refused: error.message };
  }
}
