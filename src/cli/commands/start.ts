import type { Command } from 'commander';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../../core/errors/tidelock-error.ts';
import { pause } from '../../core/pause.ts';
import type { RouteStateStore } from '../../core/route-state-store.ts';
import {
  addCommand,
  type CommandLine,
  type CommonOptions,
  exits,
  openConfiguration,
  writeJson,
} from '../command-line.ts';
import { freshHolder } from '../fresh-holder.ts';
import { type OpenedRoute, openRoute } from '../open-route.ts';
import { chosenRoutes, want } from './lifecycle.ts';

/** An engine that stands by asks for the lease every few seconds. */
const takenMs = 15_000;

interface StartOptions extends CommonOptions {
  readonly all?: boolean;
  readonly takeover?: boolean;
  readonly acceptSchemaChange?: boolean;
}

export function addStart(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'start [routes...]',
    summary: 'let routes run that were stopped or have halted',
    example: 'tidelock start sales-to-reporting --accept-schema-change',
  })
    .option('--all', 'all routes of the configuration')
    .option('--takeover', 'take the route from the engine that has it, at once, for one that stands by')
    .option('--accept-schema-change', 'the changed table definitions are the same at the target now')
    .action(exits(line, (named: string[], options: StartOptions) => start(line, named, options)));
}

async function start(line: CommandLine, named: readonly string[], options: StartOptions): Promise<number> {
  const configuration = openConfiguration(line, options);
  const { takeover = false, acceptSchemaChange = false } = options;
  const done = [];
  let all = true;
  for (const name of chosenRoutes(configuration, named, options.all ?? false)) {
    await using route = openRoute(configuration.routes.demand(name, 'route'));
    // First the request: the engine that is fenced next has seen it already, and leaves the route to another.
    const accepted = acceptSchemaChange ? (await route.source.status()).position : undefined;
    const { store, wanted, rested } = await want(route, 'running', accepted);
    const holder = takeover ? await evict(route, store, line.signal) : null;
    const taken = !takeover || holder !== null;
    all &&= taken;
    done.push({ name, desiredState: wanted.state, request: wanted.request, ...(takeover && { holder }) });
    if (!taken) line.err.write(`${fail(routeErrors.notTaken, { route: name }).message}\n`);
    else if (!options.json)
      line.out.write(holder === null ? `${name} is to run\n` : `${name} is taken over by ${holder.host}\n`);
    if (takeover) continue;
    if (!(await hasEngine(store)))
      line.err.write(`${name} waits for an engine: none has it now. Where none runs, start "tidelock run".\n`);
    else if (rested)
      line.err.write(
        `${name} goes on as "tidelock run" was started: what has changed in the file since then wants its restart.\n`,
      );
  }
  if (options.json) writeJson(line, { version: 1, routes: done });
  return all ? 0 : 1;
}

/** `start` asks; whoever runs the route or stands by for it does. */
async function hasEngine(store: RouteStateStore): Promise<boolean> {
  const holder = (await store.read())?.holder ?? null;
  return holder !== null && holder.expiresInMs > 0;
}

/**
 * Raises the epoch, which ends the engine that has the route, and leaves the lease free for one that stands by. Returns
 * who has it then, null where nobody took it in time.
 */
async function evict(route: OpenedRoute, store: RouteStateStore, signal: AbortSignal) {
  const own = freshHolder();
  await store.acquireLease(own, true);
  // Whoever takes the lease now ends the session that had it, perhaps before it has answered.
  await store.releaseLease().catch((error: unknown) => {
    if (!(error instanceof TidelockError) || error.recovery !== 'retry') throw error;
  });
  const reader = await route.target.state();
  try {
    const deadlineMs = performance.now() + takenMs;
    while (performance.now() < deadlineMs && !signal.aborted) {
      const holder = (await reader.read())?.holder ?? null;
      if (holder !== null && holder.supervisor !== own.supervisor) return { host: holder.host, pid: holder.pid };
      await pause(100, signal);
    }
    return null;
  } finally {
    await reader.close();
  }
}
