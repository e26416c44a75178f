import { parseDuration } from '../../config/units.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { silentLogger } from '../../core/logger.ts';
import type { ParkedTransaction, ParkingOutcome, ParkingRequest } from '../../core/parked.ts';
import { pause } from '../../core/pause.ts';
import type { RouteStateStore } from '../../core/route-state-store.ts';
import type { RouteStatus } from '../../core/route-status.ts';
import { carryOutParked } from '../../operations/carry-out-parked.ts';
import { LeaseKeeper, whileKept } from '../../supervisor/lease-keeper.ts';
import { askedBy } from '../asked-by.ts';
import { type CommandLine, type CommonOptions, openConfiguration, writeJson } from '../command-line.ts';
import { freshHolder } from '../fresh-holder.ts';
import { type OpenedRoute, openRoute, placeOfNode } from '../open-route.ts';
import { chosenParked } from './chosen-parked.ts';
import { tablesText } from './list-parked.ts';

const pollMs = 100;

export interface ParkedRequestOptions extends CommonOptions {
  readonly all?: boolean;
  readonly withEarlier?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  readonly timeout: string;
}

interface Named {
  readonly route: string;
  readonly ids: readonly string[];
}

export async function retryParked(line: CommandLine, named: Named, options: ParkedRequestOptions): Promise<number> {
  await using route = openRoute(openConfiguration(line, options).routes.demand(named.route, 'route'));
  const { store, chosen } = await choose(route, named, options);
  const { withEarlier = false } = options;
  if (chosen !== null && !withEarlier) {
    for (const { id } of chosen) {
      const asked = chosen.map((one) => one.id);
      const earlier = (await store.parked.earlier([id])).filter((one) => !asked.includes(one));
      if (earlier.length > 0) {
        const list = earlier.slice(0, 10).join(', ') + (earlier.length > 10 ? ', ...' : '');
        throw fail(routeErrors.parkedWaits, { route: named.route, id, earlier: list });
      }
    }
  }
  const outcome = await carriedOut(line, route, request('retry', chosen, { ...options, withEarlier }), options);
  return print(line, named.route, outcome, options);
}

export async function discardParked(line: CommandLine, named: Named, options: ParkedRequestOptions): Promise<number> {
  const definition = openConfiguration(line, options).routes.demand(named.route, 'route');
  await using route = openRoute(definition);
  const { chosen, parked } = await choose(route, named, options);
  const going = chosen ?? parked;
  const rows = going.reduce((sum, one) => sum + one.rows, 0);
  line.err.write(
    `${named.route}: ${going.length} parked transactions with ${rows.toLocaleString('en')} row changes are given up for good, ` +
      `and ${placeOfNode(definition.to)} stays without them:\n` +
      going
        .slice(0, 20)
        .map(({ id, position, tables }) => `  ${id} at ${position}: ${tablesText(tables)}\n`)
        .join('') +
      (going.length > 20 ? `  and ${going.length - 20} more\n` : ''),
  );
  if (!options.yes) throw fail(configErrors.needsConsent, { command: `parked discard ${named.route}` });
  // Those that are there now: what parks while somebody reads the list above is not given up.
  const outcome = await carriedOut(line, route, request('discard', going, options), options);
  return print(line, named.route, outcome, options);
}

/** `chosen` is null for all. */
async function choose(route: OpenedRoute, { route: name, ids }: Named, { all = false }: ParkedRequestOptions) {
  if (all === ids.length > 0) {
    throw fail(configErrors.arguments, { why: all ? 'give numbers or --all, not both' : 'give numbers, or --all' });
  }
  const store = await route.store();
  const parked = (await store.read()) === null ? [] : await store.parked.list();
  return { store, parked, chosen: all ? null : chosenParked(name, parked, ids) };
}

function request(
  action: ParkingRequest['action'],
  chosen: readonly ParkedTransaction[] | null,
  { withEarlier = false, reason }: Pick<ParkedRequestOptions, 'withEarlier' | 'reason'>,
): ParkingRequest {
  const ids = chosen?.map(({ id }) => id) ?? null;
  return { action, ids, withEarlier, reason: reason ?? null, askedBy: askedBy() };
}

/** By the engine that has the route; where none has, here, under the lease. Null where it was not done in time. */
async function carriedOut(
  line: CommandLine,
  route: OpenedRoute,
  asked: ParkingRequest,
  { timeout }: ParkedRequestOptions,
): Promise<ParkingOutcome> {
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === null) {
    throw fail(configErrors.arguments, { why: `--timeout wants a duration such as 60s or 5m, is ${timeout}` });
  }
  const store = await route.store();
  if ((await store.read()) === null) return { applied: [], failed: [], waiting: [], discarded: [] };
  const number = await store.parked.ask(asked);
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const outcome = await store.parked.outcome(number);
    if (outcome !== null) return outcome;
    if (performance.now() > deadlineMs || line.signal.aborted) {
      throw fail(routeErrors.parkingNotDone, { route: route.definition.name, seconds: timeoutMs / 1000 });
    }
    const stored = await store.read();
    if (stored !== null && (stored.holder === null || stored.holder.expiresInMs <= 0)) {
      await underOwnLease(route, store, stored.status, line.signal);
    }
    await pause(pollMs, line.signal);
  }
}

/** Nothing where an engine has come and taken the lease meanwhile: it does what was asked. */
async function underOwnLease(
  { definition, source, target }: OpenedRoute,
  store: RouteStateStore,
  status: RouteStatus | null,
  signal: AbortSignal,
): Promise<void> {
  await store.migrate();
  const lease = await store.acquireLease(freshHolder(), false);
  if (!lease.granted) return;
  const run = (kept: AbortSignal) =>
    carryOutParked({ definition, source, target, store, epoch: lease.epoch, logger: silentLogger, signal: kept });
  try {
    // The route is what it was: with the lease its last status is stored again.
    if (status === null) await run(signal);
    else await whileKept(new LeaseKeeper(store, () => status), signal, run);
  } finally {
    await store.releaseLease();
  }
}

function print(line: CommandLine, name: string, outcome: ParkingOutcome, { json }: CommonOptions): number {
  const { applied, failed, waiting, discarded } = outcome;
  if (json) writeJson(line, { version: 1, route: name, ...outcome });
  else {
    const said = [
      applied.length > 0 && `${applied.length} applied`,
      discarded.length > 0 && `${discarded.length} discarded`,
      failed.length > 0 && `${failed.length} failed again`,
      waiting.length > 0 && `${waiting.length} wait for those`,
    ].filter(Boolean);
    line.out.write(`${name}: ${said.length === 0 ? 'nothing was parked' : said.join(', ')}\n`);
    for (const { id, code, message } of failed) line.out.write(`  ${id} ${code} ${message}\n`);
  }
  return failed.length + waiting.length === 0 ? 0 : 1;
}
