import type { Command } from 'commander';
import { openLogger } from '../../open-logger.ts';
import { runService } from '../../service/run-service.ts';
import { Supervisor } from '../../supervisor/supervisor.ts';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { openConfiguration } from '../open-configuration.ts';
import { version } from '../version.ts';

interface RunOptions extends CommonOptions {
  readonly takeover?: boolean;
}

export function addRun(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'run',
    summary: 'run all routes of the configuration, each in a worker process, until SIGTERM or ^C',
    example: 'tidelock run -c /etc/tidelock.yaml',
  })
    .option('--takeover', 'take the routes over at once from another engine, instead of standing by')
    .action(exits(line, (options: RunOptions) => run(line, options)));
}

async function run(line: CommandLine, options: RunOptions): Promise<number> {
  const configuration = openConfiguration(line, options);
  // What can't be resolved is told now, and not by each worker again and again.
  for (const { from, to } of configuration.routes.values()) for (const node of [from, to]) node.connection();
  const logger = openLogger();
  const routes = [...configuration.routes.keys()];
  logger.info({ version: version(), file: configuration.file, routes }, 'Supervisor started');
  const supervisor = new Supervisor({
    file: configuration.file,
    configuration: configuration.text(),
    routes,
    logger,
    takeover: options.takeover ?? false,
  });
  if (options.json) {
    const said = new Map<string, string>();
    supervisor.onStatus((route, status) => {
      // A line for each change, not for each report.
      const says = JSON.stringify([status.state, status.reason?.code, status.health]);
      if (said.get(route) !== says) writeJson(line, { version: 1, route, ...status });
      said.set(route, says);
    });
  }
  const code = await runService({
    configuration,
    read: () => openConfiguration(line, options),
    supervisor,
    logger,
    version: version(),
  });
  logger.info({ exitCode: code }, 'Supervisor ended');
  return code;
}
