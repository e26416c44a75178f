import type pg from 'pg';
import type { NodeDefinition } from '../../../src/core/route.ts';
import { sqlState } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';

/**
 * Plans are made once: with generic plans the server would guess the size of every array anew and at times scan a
 * whole table. What is left is the index on the key, which is right for every size of group.
 */
const planSettings: Readonly<Record<string, string>> = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

/** The session that applies changes: queries are pipelined, each is written to the socket as it is given. */
export interface ApplyConnection {
  readonly client: pg.Client;
  /** Triggers and foreign keys are off in this session, as in PostgreSQL's own apply worker. */
  readonly replicaRole: boolean;
  /** COMMIT returns before the WAL is on disk: an acknowledgement has to wait for the flush position. */
  readonly asynchronousCommit: boolean;
}

export function applicationName(routeId: number, routeKey: string, purpose: 'apply' | 'control'): string {
  return `tidelock ${routeId} ${purpose} ${routeKey}`.slice(0, 63);
}

/** Of a session that does nothing yet: who takes the route over ends those that have its id in their name. */
export async function openApplySession(node: NodeDefinition, routeKey: string): Promise<pg.Client> {
  const name = `tidelock ${routeKey}`.slice(0, 63);
  return await connectPostgres(node, { applicationName: name, pipeline: true, settings: planSettings });
}

/** Makes it the one of this route, in one round trip. */
export async function prepareApplySession(client: pg.Client, name: string): Promise<ApplyConnection> {
  const named = client.query(`select set_config('application_name', $1, false)`, [name]);
  const asReplica = setReplicaRole(client);
  // With synchronous standbys the server's own setting stays: they are there so that no commit is lost in a failover. It
  // is pinned, since a reload would change it under the session; and it may be off, too.
  const pinned = client.query<{ setting: string }>(
    `select set_config('synchronous_commit', case current_setting('synchronous_standby_names') when '' then 'off'
       else current_setting('synchronous_commit') end, false) as setting`,
  );
  const [replicaRole, { rows }] = await Promise.all([asReplica, pinned, named]);
  return { client, replicaRole, asynchronousCommit: rows[0]?.setting === 'off' };
}

/**
 * False where the session keeps the ordinary role: the user has not the privilege (a superuser's, or granted by SET ON PARAMETER from 15 on).
 * Somebody who has may have set the role for the user, the database or the server, as is usual on managed services.
 */
export async function setReplicaRole(client: pg.Client): Promise<boolean> {
  try {
    await client.query('set session_replication_role = replica');
    return true;
  } catch (error) {
    if (sqlState(error) !== '42501') throw error;
    const { rows } = await client.query<{ role: string }>(`select current_setting('session_replication_role') as role`);
    return rows[0]?.role === 'replica';
  }
}
