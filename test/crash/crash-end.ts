import type pg from 'pg';
import { MysqlServer } from '../support/mysql.ts';
import type { PostgresServer } from '../support/postgres.ts';
import type { RouteEnd } from '../support/route.ts';

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
