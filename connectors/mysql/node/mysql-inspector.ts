import type { ClockOffset, NodeInspector } from '../../../src/core/node-inspector.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import type { MysqlSession } from '../connect.ts';
import { readServerFacts } from '../server-facts.ts';
import { withSession } from '../with-session.ts';
import { checkServer } from './check-server.ts';
import { nodeGrants } from './grants.ts';
import { readRoutesLeft, stateLeft } from './routes-left.ts';
import { surveyNode } from './survey.ts';

export function mysqlInspector(node: NodeDefinition): NodeInspector {
  return {
    routesLeft: (deployment) => withSession(node, (session) => readRoutesLeft(session, deployment)),
    // Nothing at a source is a route's own.
    left: (route, side) => (side === 'source' ? { parts: [], statements: [] } : stateLeft(route)),
    survey: () => withSession(node, surveyNode),
    grants: (use, user) => withSession(node, (session) => nodeGrants(session, use, user)),
    check: () =>
      withSession(node, async (session) => {
        const clock = await clockOffset(session);
        const found = await checkServer(session, { facts: await readServerFacts(session), clock });
        return { clock, findings: found.map((finding) => ({ ...finding, node: node.name })) };
      }),
  };
}

const tries = 3;

/** Of a few questions the quickest: the server's clock is taken for what this host's was half-way. */
async function clockOffset(session: MysqlSession): Promise<ClockOffset> {
  let best: ClockOffset | null = null;
  for (let at = 0; at < tries; at++) {
    const askedMs = Date.now();
    const [row] = await session.query('SELECT UNIX_TIMESTAMP(SYSDATE(6)) * 1000');
    const errorMs = (Date.now() - askedMs) / 2;
    const offsetMs = Number(row?.[0]) - (askedMs + errorMs);
    if (best === null || errorMs < best.errorMs) best = { offsetMs, errorMs };
  }
  return best ?? { offsetMs: 0, errorMs: 0 };
}
