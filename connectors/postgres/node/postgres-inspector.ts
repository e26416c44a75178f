import type pg from 'pg';
import type { Finding } from '../../../src/core/finding.ts';
import type { NodeInspector, NodeUse } from '../../../src/core/node-inspector.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import { classifyPostgresError } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { answeredInTime } from '../source/sessions.ts';
import { setReplicaRole } from '../target/apply-connection.ts';
import { leftOut } from './check-left-out.ts';
import { checkServerFacts } from './check-server.ts';
import { clockOffset } from './clock-offset.ts';
import { nodeGrants } from './grants.ts';
import { leftBehind } from './left-behind.ts';
import { readRoutesLeft } from './routes-left.ts';
import { readServerFacts } from './server-facts.ts';
import { surveyNode } from './survey.ts';

export function postgresInspector(node: NodeDefinition): NodeInspector {
  const briefly = async <T>(run: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = await connectPostgres(node, { applicationName: 'tidelock check' });
    try {
      return await answeredInTime(client, node, () => run(client));
    } catch (error) {
      throw classifyPostgresError(error, node.name);
    } finally {
      await client.end().catch(() => {});
    }
  };
  return {
    survey: () => briefly(surveyNode),
    left: leftBehind,
    routesLeft: (deployment) => briefly((client) => readRoutesLeft(client, deployment)),
    grants: (use, user) => briefly((client) => nodeGrants(client, use, user)),
    check: (use) =>
      briefly(async (client) => {
        const clock = await clockOffset(client);
        const facts = await readServerFacts(client);
        const found = [
          ...checkServerFacts({ node, use, facts, clock }),
          ...(await leftOut(client, use)),
          ...(await replicaRole(client, node, use)),
        ];
        return { clock, findings: found.map((finding) => ({ ...finding, node: node.name })) };
      }),
  };
}

/** Where triggers would fire, the route's preflight refuses; elsewhere it is a matter of speed. */
async function replicaRole(
  client: pg.Client,
  node: NodeDefinition,
  { targets }: NodeUse,
): Promise<Omit<Finding, 'node'>[]> {
  if (targets.length === 0 || (await setReplicaRole(client))) return [];
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  const canBeGranted = Number(rows[0]?.version) >= 150_000;
  const user = quoteIdentifier(node.connection().user);
  return [
    {
      level: 'info',
      code: 'node.replicaRole',
      message: `user ${user} may not set session_replication_role: foreign keys are checked again for rows that the source has checked`,
      remedy: canBeGranted
        ? 'Grant it, where the tables have foreign keys or triggers.'
        : 'Only a superuser may before PostgreSQL 15; routes run without it, and a little slower.',
      ...(canBeGranted && { statement: `GRANT SET ON PARAMETER session_replication_role TO ${user};` }),
    },
  ];
}
