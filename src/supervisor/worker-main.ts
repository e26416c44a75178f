import type { ConfigurationText } from '../config/configuration-files.ts';
import { readConfiguration } from '../config/read-configuration.ts';
import { armFailpoints } from '../core/failpoint.ts';
import { routeBack } from '../core/route.ts';
import { withParser } from '../expression/parser.ts';
import { openTracing } from '../metrics/open-telemetry.ts';
import { openLogger } from '../open-logger.ts';
import { loadConnectors } from '../route-connectors.ts';
import { runRoute } from './route-runner.ts';
import { serveWorker, workerTask } from './serve-worker.ts';
import { settleMemory } from './settle-memory.ts';

const task = workerTask();
const logger = openLogger().child({ route: task.route });
armFailpoints(process.env.TIDELOCK_FAILPOINTS, task.restarts);

settleMemory();

// References are resolved here, again at each connect: nothing that they hold travels between processes.
await serveWorker(task, logger, async ({ configuration, signal, releases, self, ...tells }) => {
  const { env } = process;
  const text = (configuration as ConfigurationText | null) ?? undefined;
  const { routes, definition } = await withParser(() => {
    const { routes } = readConfiguration({ file: task.file, env, cwd: process.cwd(), text });
    return { routes, definition: routes.demand(task.route, 'route') };
  });
  const connectors = await loadConnectors([definition.from.type, definition.to.type]);
  const tracing = await openTracing({ deployment: definition.deployment, route: definition.name, env, logger });
  await runRoute({
    definition,
    routeBack: () => withParser(() => routeBack(routes, definition)),
    connectors,
    holder: task.holder,
    logger,
    signal,
    releases,
    restarts: task.restarts,
    takeover: task.takeover,
    heldEpoch: task.heldEpoch === null ? null : BigInt(task.heldEpoch),
    fencedAt: task.fencedAt,
    registration: task.registration,
    restarted: task.restarted,
    halted: task.halted,
    self,
    onStatus: tells.onStatus,
    onRegistered: tells.onRegistered,
    onLease: tells.onLease,
    onFenced: tells.onFenced,
    onMetrics: tells.onMetrics,
    onPending: tells.onPending,
    hearTold: tells.hearTold,
    trace: tracing?.trace ?? null,
  });
  await tracing?.flush();
});
