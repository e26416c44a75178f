import { ApiServer } from '../api/api-server.ts';
import type { Configuration } from '../config/configuration.ts';
import { LocalControl } from '../control/local-control.ts';
import { RouteReadings } from '../control/route-readings.ts';
import type { Logger } from '../core/logger.ts';
import { MetricsStore } from '../metrics/metrics-store.ts';
import { ServiceMetrics } from '../metrics/service-metrics.ts';
import { Deliveries } from '../notify/deliveries.ts';
import { Notifier } from '../notify/notifier.ts';
import { ProbesServer } from '../probes/probes-server.ts';
import { RouteConditions } from '../supervisor/route-conditions.ts';
import { runSupervisor } from '../supervisor/run-supervisor.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { ConfigurationReload } from './configuration-reload.ts';
import { serviceFacts } from './service-facts.ts';

export interface ServiceOptions {
  readonly configuration: Configuration;
  /** Reads its files again. */
  read(): Configuration;
  readonly supervisor: Supervisor;
  readonly logger: Logger;
  readonly version: string;
}

/**
 * What `tidelock run` is: the Supervisor with its routes, and around it what others ask it by. Runs until it is told to
 * end; returns the exit code. Whoever can't be listened to is told before a route is started.
 */
export async function runService(options: ServiceOptions): Promise<number> {
  const { configuration, read, supervisor, logger, version } = options;
  const { probes, api: settings } = configuration.service;
  const isDraining = (): boolean => supervisor.isStopping;
  const conditions = new RouteConditions(supervisor);
  const store = new MetricsStore(supervisor, conditions);
  const metrics = new ServiceMetrics(store, version);
  const reload = new ConfigurationReload({ configuration, read, supervisor, logger });
  const onHangUp = (): void => void reload.reload();
  const server = new ProbesServer({ conditions, metrics, logger, isDraining });
  const deliveries = new Deliveries({
    receivers: () => reload.current.notify,
    logger,
    onResult: (kind, result) => metrics.notified(kind, result),
  });
  const notifier = new Notifier({
    deployment: configuration.name,
    routes: conditions,
    deliver: (notice) => deliveries.tell(notice),
    onTold: (route, told) => supervisor.tell(route, told),
    isDraining,
  });
  const facts = { version, configuration: () => reload.effective, supervisor, conditions, store, metrics };
  const readings = new RouteReadings();
  const control = new LocalControl({
    configuration: () => reload.effective,
    written: read,
    onApply: () => void reload.reload(),
    reader: readings,
    listens: true,
  });
  const api =
    settings === null
      ? null
      : new ApiServer({
          settings: {
            listen: settings.listen,
            tokens: () => (reload.current.service.api ?? settings).tokens(),
            tls: () => (reload.current.service.api ?? settings).tls(),
          },
          control,
          live: serviceFacts(facts),
          logger,
        });
  process.on('SIGHUP', onHangUp);
  try {
    if (api !== null && settings !== null) {
      const port = await api.listen();
      logger.info({ host: settings.listen.host, port }, 'API listens');
    }
    if (probes !== null) {
      const port = await server.listen(probes.listen);
      logger.info({ host: probes.listen.host, port }, 'probes listen');
    }
    notifier.start();
    return await runSupervisor(supervisor);
  } finally {
    process.off('SIGHUP', onHangUp);
    notifier.close();
    await api?.close();
    await Promise.all([server.close(), deliveries.close(), readings[Symbol.asyncDispose]()]);
  }
}
