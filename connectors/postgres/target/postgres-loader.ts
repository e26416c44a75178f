import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Row } from '../../../src/core/cell.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { Loader, LoaderOptions } from '../../../src/core/target.ts';
import type { Hop } from '../../../src/core/transaction.ts';
import { classifyPostgresError } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { applicationName, setReplicaRole } from './apply-connection.ts';
import { copyText } from './copy-text.ts';
import { originMarker } from './origin-marker.ts';
import { planTable } from './table-plan.ts';
import { TablePlans } from './table-plans.ts';
import { readTargetTables } from './target-table.ts';

export interface PostgresLoaderOptions extends LoaderOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly routeKey: string;
}

/**
 * All tables and the first checkpoint in one transaction: whatever interrupts it, the target is as it was before.
 * Tables come parents first; each is one COPY, at whose end its foreign keys are checked.
 */
export async function openLoader(options: PostgresLoaderOptions): Promise<Loader> {
  const { route, routeId, routeKey } = options;
  const node = route.to.name;
  const client = await connectPostgres(route.to, { applicationName: applicationName(routeId, routeKey, 'apply') });
  const guarded = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw classifyPostgresError(error, node);
    }
  };
  const replicaRole = await guarded(() => begin(client, options));
  return {
    sort: (tables) =>
      guarded(async () => {
        const plans = new TablePlans({ route, replicaRole });
        await plans.add(client, tables);
        return plans.parentsFirst(tables.map((table) => plans.get(table))).map((plan) => plan.source);
      }),
    load: (table, batches) => guarded(() => loadTable(client, route, table, batches)),
    commit: (source, position) => guarded(() => commit(client, routeId, source, position)),
    abort: async () => {
      client.connection.stream.destroy();
    },
  };
}

/** Returns whether the session has the replica role. */
async function begin(client: pg.Client, options: PostgresLoaderOptions): Promise<boolean> {
  const { route, routeId, epoch, sourceNode, position } = options;
  const replicaRole = await setReplicaRole(client);
  await client.query('begin');
  const { rows } = await client.query<{ epoch: string }>(
    'select epoch::text from tidelock.routes where id = $1 for update',
    [routeId],
  );
  if (rows[0]?.epoch !== epoch.toString()) {
    throw fail(routeErrors.fenced, { route: route.name, epoch: epoch.toString() });
  }
  const hop: Hop = { node: sourceNode, position, committedAtMs: Date.now() };
  await client.query(`select pg_logical_emit_message(true, 'tidelock.origin', $1::text)`, [originMarker([hop])]);
  await client.query('set constraints all deferred');
  return replicaRole;
}

async function loadTable(
  client: pg.Client,
  route: RouteDefinition,
  table: TableVersion,
  batches: AsyncIterable<readonly Row[]>,
): Promise<number> {
  const [target] = await readTargetTables(client, [table]);
  const label = tableLabel(table);
  if (!target) throw fail(targetErrors.tableMissing, { route: route.name, table: label });
  const { relation } = planTable(table, target, route.name);
  if (route.load.existing === 'replace') {
    // Not TRUNCATE: it would need every table that points here, and readers would find the table locked until the end.
    await client.query(`delete from ${relation}`);
  } else {
    const { rows } = await client.query(`select from ${relation} limit 1`);
    if (rows.length > 0) throw fail(targetErrors.targetNotEmpty, { route: route.name, table: label });
  }
  const columns = table.columns.map((column) => quoteIdentifier(column.name)).join(', ');
  // Under the replica role nothing would recheck a deferrable unique constraint that the source has not.
  const isOrdinary = target.hasDeferrableUnique && (await isReplica(client));
  if (isOrdinary) await client.query('set local session_replication_role = origin');
  const copy = client.query(copyFrom(`copy ${quoteTable(target)} (${columns}) from stdin`));
  let count = 0;
  const texts = async function* (): AsyncGenerator<string> {
    for await (const rows of batches) {
      count += rows.length;
      yield copyText(rows);
    }
  };
  await pipeline(Readable.from(texts(), { objectMode: true, highWaterMark: 1 }), copy);
  if (isOrdinary) await client.query('set local session_replication_role = replica');
  failpoint('load.copied');
  return count;
}

async function isReplica(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>(
    `select current_setting('session_replication_role') = 'replica' as yes`,
  );
  return rows[0]?.yes === true;
}

async function commit(client: pg.Client, routeId: number, source: SourceIdentity, position: Position): Promise<void> {
  await client.query(
    `insert into tidelock.checkpoints (route_id, sequence, position)
     select $1, coalesce(max(sequence), 0) + 1, $2 from tidelock.checkpoints where route_id = $1`,
    [routeId, position],
  );
  await client.query(`update tidelock.routes set phase = 'ready', source = $2 where id = $1`, [
    routeId,
    JSON.stringify(source),
  ]);
  const { command } = await client.query('commit');
  if (command !== 'COMMIT') throw new Error('the load was rolled back');
  failpoint('load.answerLost');
  await client.end();
}
