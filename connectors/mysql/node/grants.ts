import type { Grant, GrantUse, NodeGrants } from '../../../src/core/node-inspector.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { readTables } from '../catalogue/read-tables.ts';
import { errnoOf } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { alterRights, parseGrant, quoteAccount, rowRights, stateRights } from '../target/missing-grants.ts';
import { readTargetTables } from '../target/target-table.ts';

/** On a database or a table; the empty schema is everything. */
interface Need {
  readonly rights: readonly string[];
  readonly schema: string;
  readonly table: string | null;
  readonly why: string;
}

/** ER_NONEXISTING_GRANT, ER_NO_SUCH_USER, ER_TABLEACCESS_DENIED, ER_DBACCESS_DENIED: nothing is known of the user. */
const unknown: ReadonlySet<number> = new Set([1141, 1449, 3162, 1142, 1044]);

/** The least that a user needs. `user` is a name, or a name with its host; without one from everywhere. */
export async function nodeGrants(session: MysqlSession, use: GrantUse, user: string): Promise<NodeGrants> {
  const account = quoteAccount(user.includes('@') ? user : `${user}@%`);
  const needs = [...(await sourceNeeds(session, use)), ...targetNeeds(use)];
  const held = await readHeld(session, account);
  const grants: Grant[] = [
    {
      statement: `CREATE USER ${account} IDENTIFIED BY '...';`,
      why: 'to connect',
      need: 'required',
      held: held !== null,
    },
  ];
  for (const { rights, schema, table, why } of needs) {
    const on = schema === '' ? '*.*' : table === null ? `\`${schema}\`.*` : quoteTable({ schema, name: table });
    const statement = `GRANT ${rights.join(', ')} ON ${on} TO ${account};`;
    if (grants.some((grant) => grant.statement === statement)) continue;
    const isHeld = rights.every((right) => held?.some((grant) => grant?.covers(right, schema, table)));
    grants.push({ statement, why, need: 'required', held: isHeld });
  }
  return { grants, missing: await readMissing(session, use) };
}

async function sourceNeeds(session: MysqlSession, { sources }: GrantUse): Promise<Need[]> {
  if (sources.length === 0) return [];
  const isMariadb = session.node.type === 'mariadb';
  const log = isMariadb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
  const loads = sources.some(({ load }) => load.mode === 'initial');
  const everywhere = ['REPLICATION SLAVE', log, ...(loads && !isMariadb ? ['LOCK TABLES'] : [])];
  const tables = await readTables(session, (schema, name) =>
    sources.some((route) => route.tables.select(schema, name) !== null),
  );
  return [
    { rights: everywhere, schema: '', table: null, why: 'to read the binlog' },
    {
      rights: ['SELECT', 'INSERT', 'UPDATE', 'CREATE'],
      schema: 'tidelock',
      table: null,
      why: 'for heartbeats and marks',
    },
    ...tables.map(({ schema, name }) => ({
      rights: ['SELECT'],
      schema,
      table: name,
      why: 'to read definitions and rows',
    })),
  ];
}

function targetNeeds({ targets }: GrantUse): Need[] {
  if (targets.length === 0) return [];
  const tables = targets.flatMap((target) => target.tables);
  return [
    { rights: stateRights, schema: 'tidelock', table: null, why: 'to keep positions' },
    ...tables.map(({ schema, name }) => ({ rights: rowRights, schema, table: name, why: 'to write rows' })),
    ...targets
      .filter(({ route }) => route.schemaChanges === 'evolve')
      .flatMap((target) => target.tables)
      .map(({ schema, name }) => ({ rights: alterRights, schema, table: name, why: 'to alter it as the source does' })),
  ];
}

/** Null where nothing is known of the user: it is not there, or the session may not look. */
async function readHeld(session: MysqlSession, account: string): Promise<ReturnType<typeof parseGrant>[] | null> {
  try {
    return (await session.query(`show grants for ${account}`)).map(([text]) => parseGrant(text ?? ''));
  } catch (error) {
    if (unknown.has(errnoOf(error) ?? 0)) return null;
    throw error;
  }
}

async function readMissing(session: MysqlSession, { targets }: GrantUse): Promise<readonly string[]> {
  const tables = targets.flatMap((target) => target.tables);
  const there = new Set((await readTargetTables(session, tables)).map(tableLabel));
  return tables.map(tableLabel).filter((label) => !there.has(label));
}
