import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { loadObstacles } from '../../../src/core/load-obstacles.ts';
import { routeKey } from '../../../src/core/route.ts';
import type { Target, TargetColumn, TargetOptions } from '../../../src/core/target.ts';
import { classifyPostgresError } from '../classify-error.ts';
import { PostgresCompareSide } from '../compare/postgres-compare-side.ts';
import { openRepairer } from '../compare/postgres-repairer.ts';
import { connectPostgres } from '../connect.ts';
import { readInstance } from '../instance.ts';
import { carryOut } from '../schema/carry-out.ts';
import { compareSchema } from '../schema/compare-schema.ts';
import { readNamedSequences, readSequences, setSequence } from '../sequences.ts';
import { openPostgresState } from '../state/postgres-route-state.ts';
import { isStateGone } from '../state/state-session.ts';
import { readColumnTypes } from '../type-definitions.ts';
import {
  type ApplyConnection,
  applicationName,
  openApplySession,
  prepareApplySession,
  setReplicaRole,
} from './apply-connection.ts';
import { EarlySessions } from './early-sessions.ts';
import { allowTriggers } from './firing-triggers.ts';
import { KnownTables } from './known-tables.ts';
import { checkLoads } from './load-check.ts';
import { PostgresConsumer } from './postgres-consumer.ts';
import { openLoader } from './postgres-loader.ts';
import { targetPreflight } from './preflight.ts';
import { countRows, emptyTables } from './row-counts.ts';
import { TablePlans } from './table-plans.ts';
import { isFoundBy, readTargetTables, type TargetTable } from './target-table.ts';

/** The target side of one route in a PostgreSQL database. */
export function postgresTarget({ route, logger, order }: TargetOptions): Target {
  const key = routeKey(route);
  const node = route.to;
  /** Of the last preflight, for the session that follows it: that one may alter them. */
  let known: KnownTables | null = null;

  /** As of the last preflight, for the session that follows it. */
  let identity: string | null = null;
  /** Of the session that a start has opened early. */
  let instance: Promise<string | null> | null = null;
  /** What a start that is expected has opened already. */
  const early = new EarlySessions();

  const connectBriefly = (pipeline = false): Promise<pg.Client> =>
    connectPostgres(node, { applicationName: `tidelock ${key}`.slice(0, 63), pipeline });
  /** Queries are sent as they are asked, without waiting for one another. */
  const connectPipelined = (): Promise<pg.Client> => connectBriefly(true);

  /** Runs on a short connection of its own. */
  const briefly = async <T>(
    run: (client: pg.Client) => Promise<T>,
    connect: () => Promise<pg.Client> = connectBriefly,
  ): Promise<T> => {
    const client = await connect();
    try {
      return await run(client);
    } catch (error) {
      throw classifyPostgresError(error, node.name);
    } finally {
      // Its end is the server's to tell: nobody waits for that.
      client.end().catch(() => {});
    }
  };

  /** Null where nothing of the route is stored. */
  const registeredId = async (client: pg.Client): Promise<number | null> => {
    try {
      const { rows } = await client.query<{ id: number }>('select id from tidelock.routes where key = $1', [key]);
      return rows[0]?.id ?? null;
    } catch (error) {
      if (isStateGone(error)) return null;
      throw error;
    }
  };

  const routeId = async (client: pg.Client): Promise<number> => {
    const id = await registeredId(client);
    if (id === null) throw fail(routeErrors.notRegistered, { route: route.name });
    return id;
  };

  const readIdentity = async (client: pg.Client): Promise<string> => {
    const { rows } = await client.query<{ identity: string }>(
      `select system_identifier || '/' || current_database() as identity from pg_control_system()`,
    );
    return rows[0]?.identity ?? '';
  };

  /** The session that applies changes, and the route's id. */
  const applySession = async (): Promise<{ connection: ApplyConnection; id: number }> => {
    const client = await openApplySession(node, key);
    try {
      const id = await routeId(client);
      return { connection: await prepareApplySession(client, applicationName(id, key, 'apply')), id };
    } catch (error) {
      client.end().catch(() => {});
      throw error;
    }
  };

  return {
    naming: { indexNames: 'perSchema' },
    takesKeyless: true,
    identity: async () => {
      const known = identity;
      identity = null;
      return known ?? (await briefly(readIdentity));
    },
    sequences: (tables) => briefly((client) => readSequences(client, tables)),
    namedSequences: (patterns) => briefly((client) => readNamedSequences(client, patterns)),
    setSequence: (move) => briefly((client) => setSequence(client, move)),
    columns: (table) =>
      briefly(async (client) => {
        const [found] = await readTargetTables(client, [table]);
        if (found === undefined) return [];
        const oid = String(found.oid);
        const types = (await readColumnTypes(client, [oid])).get(oid);
        return found.columns.map(({ name, type, modifier, deterministic }): TargetColumn => {
          const definition = types?.get(name);
          const folds = !deterministic && { folds: true as const };
          const unique = isFoundBy(found, name) && { unique: true as const };
          return { name, type, modifier, ...(definition !== undefined && { definition }), ...folds, ...unique };
        });
      }),
    rowCounts: (tables) => briefly((client) => countRows(client, tables)),
    emptyTables: (tables) => briefly((client) => emptyTables(client, tables)),
    instance: async () => {
      const known = instance;
      instance = null;
      return (await known) ?? (await briefly(readInstance));
    },
    compareSchema: (expected) =>
      briefly(async (client) => {
        const cascades = route.allow.includes(allowTriggers)
          ? 'allowed'
          : (await setReplicaRole(client))
            ? 'switchedOff'
            : 'act';
        return await compareSchema(client, expected, { route: route.name, node: node.name, cascades });
      }),
    carryOut: (statements, options) => carryOut(node, statements, options),
    preflight: (versions) =>
      briefly(async (client) => {
        const readAtMs = performance.now();
        const onTables = (tables: readonly TargetTable[]): void => {
          known = new KnownTables(tables, readAtMs);
        };
        const replicaRole = setReplicaRole(client);
        replicaRole.catch(() => {});
        const reading = readIdentity(client).catch(() => null);
        const findings = await targetPreflight(client, versions, { route, replicaRole, onTables });
        identity = await reading;
        return findings;
      }, early.brief(connectPipelined)),
    compareSide: (signal) =>
      new PostgresCompareSide({
        node,
        applicationName: `tidelock ${key} compare`.slice(0, 63),
        route: route.name,
        signal,
      }),
    repairer: async () => {
      try {
        return await openRepairer({ route, routeId: await briefly(routeId), routeKey: key });
      } catch (error) {
        throw classifyPostgresError(error, node.name);
      }
    },
    checkLoads: (loads) =>
      briefly(async (client) => {
        const replicaRole = await setReplicaRole(client);
        const plans = new TablePlans({ route, replicaRole });
        const check = { client, route, routeId: await registeredId(client), plans, replicaRole };
        return await loadObstacles(loads, (some) => checkLoads(check, some, true));
      }),
    state: () => openPostgresState({ node, routeKey: key, logger }),
    loader: async (options) => openLoader({ ...options, route, routeId: await briefly(routeId), routeKey: key }),
    consumer: async (options) => {
      const { connection, id } = await early.apply(applySession).catch((error: unknown) => {
        throw classifyPostgresError(error, node.name);
      });
      const openLane = async (): Promise<ApplyConnection> => (await applySession()).connection;
      const given = { route, routeId: id, connection, openLane, known, logger, order };
      const consumer = new PostgresConsumer({ ...options, ...given });
      known = null;
      try {
        await consumer.open();
        return consumer;
      } catch (error) {
        await consumer.close();
        throw error;
      }
    },
    expectConsumer: (signal) => {
      if (signal.aborted) return;
      const brief = connectPipelined();
      instance = brief.then(readInstance).catch(() => null);
      signal.addEventListener('abort', () => (instance = null), { once: true });
      early.open({ apply: applySession, brief: () => brief }, signal);
    },
    close: async () => {},
  };
}
