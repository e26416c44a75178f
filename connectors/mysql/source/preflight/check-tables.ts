import type { Finding } from '../../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../../src/core/route.ts';
import { type TableName, tableLabel } from '../../../../src/core/table.ts';
import { type CatalogueTable, readTables } from '../../catalogue/read-tables.ts';
import type { MysqlSession } from '../../connect.ts';
import { quoteIdentifier, quoteTable } from '../../identifiers.ts';
import type { ServerFacts } from '../../server-facts.ts';

type Found = Omit<Finding, 'node'>;

/** What of the route's tables can't be carried as it is. */
export async function checkTables(
  session: MysqlSession,
  route: RouteDefinition,
  { logsCascades }: ServerFacts,
): Promise<readonly Found[]> {
  const tables = await readTables(session, (schema, name) => route.tables.select(schema, name) !== null);
  const engines = await transactionalEngines(session);
  return [
    ...missing(tables, route),
    ...idleGlobs(tables, route),
    ...tables.flatMap((table) => [
      ...engine(table, engines),
      ...systemVersioned(table),
      ...withoutKey(table),
      ...unreadable(table),
    ]),
    ...(logsCascades ? [] : await unloggedCascades(session, route, tables)),
  ];
}

function missing(tables: readonly CatalogueTable[], { tables: { exact } }: RouteDefinition): Found[] {
  const there = new Set(tables.map(tableLabel));
  return exact
    .map(tableLabel)
    .filter((label) => !there.has(label))
    .map((label) => ({
      level: 'error',
      code: 'source.tableMissing',
      table: label,
      message: `table ${label} does not exist, is a view, or may not be seen by the user`,
      remedy: 'Correct its name in the route, grant SELECT on it, or take it out.',
    }));
}

function idleGlobs(tables: readonly CatalogueTable[], { tables: { globs } }: RouteDefinition): Found[] {
  return globs
    .filter((glob) => !tables.some(({ schema, name }) => glob.matches(schema, name)))
    .map(({ text }) => ({
      level: 'warning',
      code: 'source.globMatchesNothing',
      message: `${text} matches no table`,
      remedy: 'Correct it, or leave it for tables that come later; names are database.table here.',
    }));
}

async function transactionalEngines(session: MysqlSession): Promise<ReadonlySet<string>> {
  const rows = await session.query("SELECT engine FROM information_schema.engines WHERE transactions = 'YES'");
  return new Set(rows.map(([name]) => String(name).toLowerCase()));
}

/** No view of it is as of one moment, and what a rollback leaves in it is not to be told. */
function engine(table: CatalogueTable, transactional: ReadonlySet<string>): Found[] {
  if (table.engine === null || transactional.has(table.engine.toLowerCase())) return [];
  const label = tableLabel(table);
  return [
    {
      level: 'error',
      code: 'source.engine',
      table: label,
      message: `${label} is a table of ${table.engine}, which has no transactions: what a load reads of it would be of no one moment`,
      remedy: 'Make it a table of InnoDB, or take it out of the route.',
      statement: `ALTER TABLE ${quoteTable(table)} ENGINE = InnoDB;`,
    },
  ];
}

function systemVersioned(table: CatalogueTable): Found[] {
  if (table.kind !== 'SYSTEM VERSIONED') return [];
  const label = tableLabel(table);
  return [
    {
      level: 'error',
      code: 'source.systemVersioned',
      table: label,
      message: `${label} is system-versioned: its binlog tells old versions of rows as rows`,
      remedy: 'Take it out of the route.',
    },
  ];
}

function withoutKey(table: CatalogueTable): Found[] {
  if (table.columns.some(({ key }) => key)) return [];
  const label = tableLabel(table);
  return [
    {
      level: 'warning',
      code: 'source.withoutKey',
      table: label,
      message: `${label} has no primary key: each change of it looks through the whole table at the target`,
      remedy: 'Give it one.',
    },
  ];
}

/** Columns whose values would halt the route with the first row (TL-3306, TL-3307). */
function unreadable(table: CatalogueTable): Found[] {
  const label = tableLabel(table);
  return table.columns.flatMap(({ name, type, typeText }): Found[] => {
    const common = { level: 'error', table: label } as const;
    if (/ collate gb18030_/.test(type))
      return [
        {
          ...common,
          code: 'source.charset',
          message: `column ${label}.${name} has the charset gb18030, which is not read`,
          remedy: 'Convert it to utf8mb4.',
          statement: `ALTER TABLE ${quoteTable(table)} MODIFY ${quoteIdentifier(name)} ${typeText} CHARACTER SET utf8mb4;`,
        },
      ];
    if (/mariadb-5\.3|5\.5 binary format/.test(typeText))
      return [
        {
          ...common,
          code: 'source.oldTemporals',
          message: `column ${label}.${name} is stored in the form of MySQL 5.5, whose fractions are not logged`,
          remedy: 'Write the table anew.',
          statement: `ALTER TABLE ${quoteTable(table)} FORCE;`,
        },
      ];
    return [];
  });
}

interface Cascade {
  readonly child: TableName;
  readonly parent: string;
  readonly constraint: string;
  readonly action: string;
}

const acts = /^(?:CASCADE|SET NULL|SET DEFAULT)$/;

/**
 * Rows that a foreign key deletes or changes below a row come in the binlog only where the server itself carries the key out, not its
 * storage engine: as MySQL does since it has the setting to choose, with that off (test/integration/mysql/cascades).
 */
async function unloggedCascades(
  session: MysqlSession,
  { from, to, allow }: RouteDefinition,
  tables: readonly CatalogueTable[],
): Promise<readonly Found[]> {
  // Rows of a source that is MariaDB are written with the foreign keys of a target of its family acting; those of PostgreSQL are at rest.
  const mayAct = from.type === 'mariadb' && (to.type === 'mysql' || to.type === 'mariadb');
  const isAllowed = mayAct && allow.includes('unloggedCascades');
  const labels = new Set(tables.map(tableLabel));
  const rows = await session.query(
    'SELECT constraint_schema, table_name, constraint_name, referenced_table_name, delete_rule, update_rule FROM information_schema.referential_constraints',
  );
  return rows
    .flatMap(([schema, name, constraint, parent, onDelete, onUpdate]): Cascade[] => {
      const child = { schema: String(schema), name: String(name) };
      const actions = [
        acts.test(String(onDelete)) ? `ON DELETE ${onDelete}` : '',
        acts.test(String(onUpdate)) ? `ON UPDATE ${onUpdate}` : '',
      ];
      const action = actions.filter((text) => text !== '').join(' ');
      if (action === '' || !labels.has(tableLabel(child))) return [];
      return [{ child, parent: String(parent), constraint: String(constraint), action }];
    })
    .map(({ child, parent, constraint, action }) => ({
      level: isAllowed ? ('info' as const) : ('error' as const),
      code: 'source.unloggedCascade',
      table: tableLabel(child),
      message: `the foreign key ${constraint} of ${tableLabel(child)} to ${parent} (${action}) changes rows that this server does not log`,
      remedy: `Let the application delete and change the rows below by itself, and make the key anew with NO ACTION; or take the table out of the route.${mayAct ? ' Where the target has the same key with the same actions, allow it by name at the route: allow: [unloggedCascades].' : ''}`,
      statement: `ALTER TABLE ${quoteTable(child)} DROP FOREIGN KEY ${quoteIdentifier(constraint)};`,
    }));
}
