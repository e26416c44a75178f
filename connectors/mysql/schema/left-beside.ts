import { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { TableName } from '../../../src/core/table.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { LeftOut } from '../../../src/core/table-schema.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { heldGrants } from '../target/missing-grants.ts';

/** Where SHOW CREATE has the text. */
const textColumns: Readonly<Record<string, number>> = {
  VIEW: 1,
  TRIGGER: 2,
  PROCEDURE: 2,
  FUNCTION: 2,
  EVENT: 3,
  SEQUENCE: 1,
};

/** What lies beside the tables in their databases, to be ported by hand: views, triggers of these tables, routines, events, sequences. */
export async function readLeftBeside(session: MysqlSession, tables: readonly TableName[]): Promise<LeftOut[]> {
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  if (schemas.length === 0) return [];
  const of = schemas.map(() => '?').join(', ');
  const labels = new Set(tables.map(tableLabel));
  const rows = await session.query(
    `SELECT 'TRIGGER', trigger_schema, trigger_name, event_object_schema, event_object_table FROM information_schema.triggers WHERE event_object_schema IN (${of})
     UNION ALL SELECT IF(table_type = 'SEQUENCE', 'SEQUENCE', 'VIEW'), table_schema, table_name, NULL, NULL FROM information_schema.tables
       WHERE table_schema IN (${of}) AND table_type IN ('VIEW', 'SEQUENCE')
     UNION ALL SELECT routine_type, routine_schema, routine_name, NULL, NULL FROM information_schema.routines WHERE routine_schema IN (${of})
     UNION ALL SELECT 'EVENT', event_schema, event_name, NULL, NULL FROM information_schema.events WHERE event_schema IN (${of})`,
    [...schemas, ...schemas, ...schemas, ...schemas],
  );
  const left: LeftOut[] = [];
  for (const [kind = '', schema, name, tableSchema, tableName] of rows) {
    if (
      kind === null ||
      (tableName !== null && !labels.has(tableLabel({ schema: String(tableSchema), name: String(tableName) })))
    )
      continue;
    const place = { schema: String(schema), name: String(name) };
    left.push({
      kind: kind.toLowerCase(),
      name: tableLabel(place),
      isNeeded: false,
      text: await readText(session, kind, place),
    });
  }
  return [...left, ...(await unseen(session, schemas))];
}

/** Of what the server shows nothing without one of these rights on the database. Views are shown with any right on them. */
const shownWith: readonly (readonly [kind: string, rights: readonly string[]])[] = [
  ['views', ['SHOW VIEW', 'SELECT']],
  ['triggers', ['TRIGGER']],
  ['routines', ['EXECUTE', 'ALTER ROUTINE', 'SHOW_ROUTINE']],
  ['events', ['EVENT']],
];

/** A list without them would read as if there were none. */
async function unseen(session: MysqlSession, schemas: readonly string[]): Promise<LeftOut[]> {
  const held = await heldGrants(session);
  return schemas.flatMap((schema) =>
    shownWith
      .filter(([, rights]) => !rights.some((right) => held.some((grant) => grant.covers(right, schema, null))))
      .map(([kind, [right = '']]) => ({
        ...{ kind, name: `of ${schema}`, isNeeded: false, text: null },
        why: `the user may not see them all: it lacks ${right}; look at the source as an administrator, or grant it`,
      })),
  );
}

/** Null where the user may not read it. */
async function readText(session: MysqlSession, kind: string, place: TableName): Promise<string | null> {
  try {
    const [row] = await session.query(`SHOW CREATE ${kind} ${quoteTable(place)}`);
    return row?.[textColumns[kind] ?? 1] ?? null;
  } catch (error) {
    if (error instanceof TidelockError && error.recovery !== 'retry') return null;
    throw error;
  }
}
