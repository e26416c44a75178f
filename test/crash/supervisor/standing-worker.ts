import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfiguration } from '../../../src/config/load-configuration.ts';
import type { Connector } from '../../../src/core/connector.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { Loader, Target } from '../../../src/core/target.ts';
import { connectorFor } from '../../../src/registry.ts';
import { runRoute } from '../../../src/supervisor/route-runner.ts';
import { serveWorker, workerTask } from '../../../src/supervisor/serve-worker.ts';

/**
 * The engine's own worker, whose Consumer never comes back from its first rows. The worker after it is as it should be.
 * While there is a file `poison` beside the configuration each worker dies of its first rows instead.
 */
const task = workerTask();
await serveWorker(task, silentLogger, ({ signal, releases, self, onStatus, onLease }) =>
  runRoute({
    definition: loadConfiguration({ file: task.file, env: {}, cwd: '/' }).routes.demand(task.route, 'route'),
    connectors: (type) => standing(connectorFor(type)),
    holder: task.holder,
    logger: silentLogger,
    signal,
    releases,
    self,
    restarts: task.restarts,
    restarted: task.restarted,
    halted: task.halted,
    takeover: false,
    heldEpoch: task.heldEpoch === null ? null : BigInt(task.heldEpoch),
    onStatus,
    onLease,
  }),
);

function isPoisoned(): boolean {
  return existsSync(join(dirname(task.file), 'poison'));
}

function standing(connector: Connector): Connector {
  return {
    ...connector,
    source: (options) => connector.source(options),
    target: (options) => {
      const target = connector.target(options);
      return replaced(target, {
        consumer: async (needs) => standingConsumer(await target.consumer(needs)),
        loader: async (needs) => standingLoader(await target.loader(needs)),
      });
    },
  };
}

function standingConsumer(consumer: Consumer): Consumer {
  return replaced(consumer, {
    apply: (parts, signal) => {
      if (parts.every(({ rows }) => rows === 0)) return consumer.apply(parts, signal);
      if (isPoisoned()) process.exit(9);
      if (task.restarts > 0) return consumer.apply(parts, signal);
      return new Promise(() => {});
    },
  });
}

/** While there is a file `hangs` beside the configuration the first worker never comes back from the rows of a load. */
function standingLoader(loader: Loader): Loader {
  return replaced(loader, {
    load: (table, batches) =>
      existsSync(join(dirname(task.file), 'hangs')) && task.restarts === 0
        ? new Promise(() => {})
        : loader.load(table, batches),
  });
}

/** The same object but for some methods. Its own have private fields, which a proxy has not. */
function replaced<T extends Consumer | Target | Loader>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get(from, key) {
      const value: unknown = Reflect.get(key in methods ? methods : from, key, from);
      return typeof value === 'function' ? value.bind(from) : value;
    },
  });
}
