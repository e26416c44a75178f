import type { ApiServer } from '../api/api-server.ts';
import type { LiveService } from '../api/live-service.ts';
import type { ApiSettings, Configuration } from '../config/configuration.ts';
import type { Control } from '../control/control.ts';
import { LocalControl } from '../control/local-control.ts';
import { RouteReadings } from '../control/route-readings.ts';
import type { Logger } from '../core/logger.ts';
import { MetricsStore } from '../metrics/metrics-store.ts';
import { ServiceMetrics } from '../metrics/service-metrics.ts';
import { Deliveries } from '../notify/deliveries.ts';
import { Notifier } from '../notify/notifier.ts';
import type { ProbesServer } from '../probes/probes-server.ts';
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
    between: (route) => {
      const status = conditions.between(route);
      return status && { supervisor: supervisor.id, status };
    },
  });
  const live = serviceFacts(facts);
  const api = settings === null ? null : await makeApi(settings, { reload, control, live, logger });
  const prober = probes === null ? null : await makeProbes({ conditions, metrics, logger, isDraining });
  process.on('SIGHUP', onHangUp);
  try {
    if (api !== null && settings !== null) {
      const port = await api.listen();
      logger.info({ host: settings.listen.host, port }, 'API listens');
    }
    if (prober !== null && probes !== null) {
      const port = await prober.listen(probes.listen);
      logger.info({ host: probes.listen.host, port }, 'probes listen');
    }
    notifier.start();
    return await runSupervisor(supervisor);
  } finally {
    process.off('SIGHUP', onHangUp);
    notifier.close();
    await api?.close();
    await Promise.all([prober?.close(), deliveries.close(), readings[Symbol.asyncDispose]()]);
  }
}

/** A service without an API does not load what one is made of: a quarter of what it reads to start. */
async function makeApi(
  settings: ApiSettings,
  { reload, ...options }: { reload: ConfigurationReload; control: Control; live: LiveService; logger: Logger },
): Promise<ApiServer> {
  const { ApiServer } = await import('../api/api-server.ts');
  const { listen } = settings;
  const now = (): ApiSettings => reload.current.service.api ?? settings;
  return new ApiServer({ ...options, settings: { listen, tokens: () => now().tokens(), tls: () => now().tls() } });
}

/** Node's HTTP takes a sixth of what a service needs to start. */
async function makeProbes(options: ConstructorParameters<typeof ProbesServer>[0]): Promise<ProbesServer> {
  const { ProbesServer: Server } = await import('../probes/probes-server.ts');
  return new Server(options);
}
