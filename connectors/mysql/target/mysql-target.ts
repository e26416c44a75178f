import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { loadObstacles } from '../../../src/core/load-obstacles.ts';
import { type NodeDefinition, routeKey } from '../../../src/core/route.ts';
import type { Target, TargetOptions } from '../../../src/core/target.ts';
import { readCounters, setCounter } from '../catalogue/read-counters.ts';
import { MysqlCompareSide } from '../compare/mysql-compare-side.ts';
import { openRepairer } from '../compare/mysql-repairer.ts';
import type { RowWatch } from '../compare/row-watch.ts';
import type { MysqlSession } from '../connect.ts';
import { readInstance } from '../instance.ts';
import { readNodeId } from '../own-database.ts';
import { carryOut } from '../schema/carry-out.ts';
import { compareSchema } from '../schema/compare-schema.ts';
import { readServerFacts } from '../server-facts.ts';
import { openMysqlState } from '../state/mysql-route-state.ts';
import { isMissing } from '../state/state-schema.ts';
import { withSession } from '../with-session.ts';
import { foreignKeysAct, openApplySession } from './apply-session.ts';
import { settleEvolutions } from './evolve-table.ts';
import { checkLoads } from './load-check.ts';
import { MysqlConsumer } from './mysql-consumer.ts';
import { openLoader } from './mysql-loader.ts';
import { targetPreflight } from './preflight.ts';
import { countRows, emptyTables } from './row-counts.ts';
import { TablePlans } from './table-plans.ts';
import { isFoundBy, readTargetTables } from './target-table.ts';

/** Descriptions from a database of another vendor are written for the target's own by whoever makes them. */
function vendorOf({ type }: NodeDefinition): 'mysql' | 'mariadb' {
  return type === 'mariadb' ? 'mariadb' : 'mysql';
}

/** The target side of one route at a server of MySQL or MariaDB. */
export function mysqlTarget({ route, logger, order }: TargetOptions): Target {
  const key = routeKey(route);
  const node = route.to;
  const watches = new Map<string, RowWatch>();
  const briefly = <T>(use: (session: MysqlSession) => Promise<T>): Promise<T> => withSession(node, use);

  /** Null where nothing of the route is stored. */
  const registeredId = async (session: MysqlSession): Promise<number | null> => {
    try {
      const [row] = await session.query('select id from tidelock.routes where route_key = ?', [key]);
      return row === undefined ? null : Number(row[0]);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  };

  const routeId = (): Promise<number> =>
    briefly(async (session) => {
      const id = await registeredId(session);
      if (id === null) throw fail(routeErrors.notRegistered, { route: route.name });
      return id;
    });

  return {
    naming: { indexNames: 'perTable' },
    identity: () =>
      briefly(async (session) => {
        const { vendor, uuid } = await readServerFacts(session);
        return (await readNodeId(session)) ?? `${vendor} ${uuid}`;
      }),
    sequences: (tables) => briefly((session) => readCounters(session, tables)),
    namedSequences: async () => [],
    setSequence: (move) =>
      briefly(async (session) => {
        const refused = await setCounter(session, move);
        return refused === null ? 'set' : { refused };
      }),
    columns: (table) =>
      briefly(async (session) => {
        const [found] = await readTargetTables(session, [table]);
        if (found === undefined) return [];
        return found.columns.map(({ name, typeName }) => {
          const unique = isFoundBy(found, name) && { unique: true as const };
          return { name, type: typeName, modifier: -1, ...unique };
        });
      }),
    rowCounts: (tables) => briefly((session) => countRows(session, route.name, tables)),
    emptyTables: (tables) => briefly((session) => emptyTables(session, route.name, tables)),
    instance: () => briefly(readInstance),
    compareSchema: (expected) =>
      briefly((session) =>
        compareSchema(session, expected, {
          route: route.name,
          node: node.name,
          from: vendorOf(expected.translated === true ? node : route.from),
          to: vendorOf(node),
          foreignKeysAct: foreignKeysAct(route),
        }),
      ),
    carryOut: (statements, options) => carryOut(node, statements, options),
    preflight: (tables) => briefly((session) => targetPreflight(session, route, tables)),
    compareSide: (signal) => new MysqlCompareSide({ side: 'target', node, route, signal, watches }),
    repairer: async () => await openRepairer({ route, routeId: await routeId(), routeKey: key, watches }),
    checkLoads: (loads) =>
      briefly(async (session) => {
        const acting = foreignKeysAct(route);
        const plans = new TablePlans(route, acting);
        const check = { session, route, routeId: await registeredId(session), plans, foreignKeysAct: acting };
        return await loadObstacles(loads, (some) => checkLoads(check, some, true));
      }),
    settle: (epoch) => settleEvolutions(route, epoch),
    state: () => openMysqlState({ node, routeKey: key, logger }),
    loader: async (options) => await openLoader({ ...options, route, routeId: await routeId() }),
    consumer: async (options) => {
      const id = await routeId();
      const apply = await openApplySession(route, id, 'apply');
      try {
        return await new MysqlConsumer({ ...options, route, routeId: id, apply, logger, order }).open();
      } catch (error) {
        apply.session.close();
        throw error;
      }
    },
    close: async () => {},
  };
}
