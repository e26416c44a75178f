import { loadConfiguration } from '../config/load-configuration.ts';
import { armFailpoints } from '../core/failpoint.ts';
import { openTracing } from '../metrics/open-telemetry.ts';
import { openLogger } from '../open-logger.ts';
import { connectorFor } from '../registry.ts';
import { runRoute } from './route-runner.ts';
import { serveWorker, workerTask } from './serve-worker.ts';

const task = workerTask();
const logger = openLogger().child({ route: task.route });
// Only in a route's first worker: the one that is started after it must get past the place where it was killed.
if (task.restarts === 0) armFailpoints(process.env.TIDELOCK_FAILPOINTS);

// The worker reads the configuration by itself, so that no secret travels between processes.
await serveWorker(task, logger, async ({ signal, releases, self, onStatus, onLease, onMetrics, hearTold }) => {
  const { env } = process;
  const definition = loadConfiguration({ file: task.file, env, cwd: process.cwd() }).routes.demand(task.route, 'route');
  const tracing = await openTracing({ deployment: definition.deployment, route: definition.name, env, logger });
  await runRoute({
    definition,
    connectors: connectorFor,
    holder: task.holder,
    logger,
    signal,
    releases,
    restarts: task.restarts,
    takeover: task.takeover,
    heldEpoch: task.heldEpoch === null ? null : BigInt(task.heldEpoch),
    restarted: task.restarted,
    halted: task.halted,
    self,
    onStatus,
    onLease,
    onMetrics,
    hearTold,
    trace: tracing?.trace ?? null,
  });
  await tracing?.flush();
});
