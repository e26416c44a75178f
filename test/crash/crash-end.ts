import type pg from 'pg';
import { MysqlServer } from '../support/mysql.ts';
import type { PostgresServer } from '../support/postgres.ts';
import type { RouteEnd } from '../support/route.ts';
import { until } from '../support/until.ts';

let databases = 0;

/** A connection of its own, on which transactions are begun and committed. */
export interface CrashSession {
  run(statements: string): Promise<void>;
  end(): Promise<void>;
}

/** One end of a route that is killed: a database, whatever its vendor, and the server that it is on. */
export interface CrashEnd {
  readonly server: PostgresServer | MysqlServer;
  /** As the route's configuration has it. */
  readonly end: RouteEnd;
  /** Whose tables the route carries: a schema or a database. */
  readonly schema: string;
  /** Another one, which it does not carry. */
  readonly aside: string;
  query(statement: string): Promise<Record<string, unknown>[]>;
  session(): Promise<CrashSession>;
  /** Once its route has ended: what the server keeps for it goes, since a server has room for few. */
  freeQueues(): Promise<void>;
}

/** With tables made by `statements`; a table without a key is told where the vendor wants to know it. */
export async function crashEnd(
  server: PostgresServer | MysqlServer,
  statements: string,
  keyless: readonly string[],
): Promise<CrashEnd> {
  const end = server instanceof MysqlServer ? await mysqlEnd(server) : await postgresEnd(server);
  await end.query(statements);
  if (!(server instanceof MysqlServer))
    for (const table of keyless) await end.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL`);
  return end;
}

async function postgresEnd(server: PostgresServer): Promise<CrashEnd> {
  const database = await server.createDatabase();
  await database.query('CREATE SCHEMA aside');
  return {
    ...{ server, end: database, schema: 'public', aside: 'aside' },
    query: (statement) => database.query(statement),
    session: async () => {
      const client: pg.Client = await database.client();
      return { run: async (run) => void (await client.query(run)), end: () => client.end() };
    },
    freeQueues: () =>
      until('the slots to be free', async () => {
        const slots = await database.query(
          `SELECT pg_terminate_backend(active_pid), active_pid IS NULL AS free, slot_name FROM pg_replication_slots
           WHERE database = current_database()`,
        );
        for (const { free, slot_name } of slots)
          if (free) await database.query('SELECT pg_drop_replication_slot($1)', [slot_name]);
        return slots.every(({ free }) => free) || null;
      }).then(() => {}),
  };
}

async function mysqlEnd(server: MysqlServer): Promise<CrashEnd> {
  const schema = `crash${++databases}`;
  const aside = `${schema}_aside`;
  await server.query(`CREATE DATABASE ${schema}; CREATE DATABASE ${aside}`);
  const session = async () => {
    const connection = await server.connect({ database: schema });
    return { run: async (run: string) => void (await connection.query(run)), end: () => connection.end(), connection };
  };
  return {
    ...{ server, end: server, schema, aside, session },
    freeQueues: async () => {},
    query: async (statement) => {
      const { connection } = await session();
      try {
        const [rows] = await connection.query(statement);
        return rows as Record<string, unknown>[];
      } finally {
        await connection.end();
      }
    },
  };
}
