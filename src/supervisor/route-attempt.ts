import { ByteBudget } from '../core/byte-budget.ts';
import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { sourceErrors } from '../core/errors/catalogue/source.ts';
import { asTidelockError } from '../core/errors/defect.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import type { Finding } from '../core/finding.ts';
import type { LatestValue } from '../core/latest-value.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { Position } from '../core/position.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore, SourceIdentity, StoredRoute, StoredTable } from '../core/route-state-store.ts';
import type { LoadProgress } from '../core/route-status.ts';
import type { CarriedTable, EarlyReading, PublishedTables, Source } from '../core/source.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import type { Target } from '../core/target.ts';
import { carrySequences } from '../operations/carry-sequences.ts';
import type { JoiningTables } from '../operations/change-beside-stream.ts';
import { initialLoad } from '../operations/initial-load.ts';
import { type OpenedView, openKeylessView } from '../operations/load/keyless-view.ts';
import type { LoadDesk } from '../operations/load/load-desk.ts';
import { LoadsBesideStream } from '../operations/load/loads-beside-stream.ts';
import { loadNewTables } from '../operations/load-new-tables.ts';
import { ownTables } from '../operations/own-tables.ts';
import { settleDefinition } from '../operations/settle-definition.ts';
import type { LiveStream } from '../pipeline/live-stream.ts';
import { LoadingTables } from '../pipeline/loading-tables.ts';
import { mixedFindings } from '../pipeline/mapping/mixed-values.ts';
import { undeclaredFindings } from '../pipeline/mapping/undeclared-reads.ts';
import { MemoryChannel } from '../pipeline/memory-channel.ts';
import type { RouteMeter } from '../pipeline/route-meter.ts';
import { SchemaGuard } from '../pipeline/schema-guard.ts';
import { storedVersions } from '../pipeline/stored-versions.ts';
import { streamSession } from '../pipeline/stream-session.ts';
import { TableMapper } from '../pipeline/table-mapper.ts';
import { TargetLooks } from '../pipeline/target-looks.ts';
import { WatermarkWindows } from '../pipeline/watermark-windows.ts';
import { SessionReadsEarly } from './early-reading.ts';
import { noteUnpublished, unpublishedOf } from './note-unpublished.ts';

export interface RouteAttempt {
  readonly definition: RouteDefinition;
  readonly source: Source;
  readonly target: Target;
  readonly store: RouteStateStore;
  readonly epoch: bigint;
  readonly heartbeatMs: number;
  readonly meter: RouteMeter;
  readonly logger: Logger;
  /** Drains. */
  readonly signal: AbortSignal;
  /** Ends what goes on at once. */
  readonly cut: AbortSignal;
  /** A person has accepted the table definitions that the source had by then. */
  readonly acceptSchemaChangesTo: Position | null;
  /** Yields when somebody has asked for something about parked transactions. */
  readonly asked: LatestValue<true>;
  readonly desk: LoadDesk;
  onLoad(progress: LoadProgress | null): void;
  /** As `onLoad`, of loads beside the stream. `initial`: of one without which the route is not what it is to be. */
  onLoadBeside(progress: LoadProgress | null, initial: boolean): void;
  /** Loads of either kind have so many rows more at the target. */
  onLoaded(rows: number): void;
  /** Gives the columns that are left out, for as long as the route streams. */
  onStreaming(ignored: () => readonly string[]): void;
  onHeartbeat(): void;
  /** What work beside the stream has of it, while it lives; null then. */
  onLive(live: LiveStream | null): void;
}

/** A table that is made meanwhile is met in the stream, as one that is made a moment later. */
const freshMs = 2_000;

/** What the preflight may find for a while only, in a failover or where others use a server too, and what it is then. */
const passing: Readonly<Record<string, (node: string, message: string) => TidelockError>> = {
  'source.standby': (node, message) => fail(nodeErrors.interrupted, { node, sqlState: '25006', message }),
  'source.slots': (node, message) => fail(nodeErrors.resources, { node, sqlState: '53400', message }),
  'source.walSenders': (node, message) => fail(nodeErrors.resources, { node, sqlState: '53300', message }),
};

function throwFindings(route: string, findings: readonly Finding[]): void {
  const first = findings.find(({ code }) => !(code in passing)) ?? findings[0];
  if (first === undefined) return;
  const retried = passing[first.code]?.(first.node, first.message);
  if (retried !== undefined) throw retried;
  const place = { route, errors: findings.length, first: `${first.code} ${first.message}` };
  throw fail(routeErrors.preflightFailed, { ...place, remedy: first.remedy });
}

/** One run of a route under a held lease: checks, loads where nothing is stored yet, then streams until aborted. */
export async function attemptRoute(attempt: RouteAttempt): Promise<void> {
  const expected = new AbortController();
  attempt.target.expectConsumer?.(expected.signal);
  try {
    await attemptExpecting(attempt, expected);
  } finally {
    expected.abort();
  }
}

/** `expected` is aborted where no Consumer comes soon. */
async function attemptExpecting(attempt: RouteAttempt, expected: AbortController): Promise<void> {
  const { definition, source, store, signal } = attempt;
  await attempt.target.settle?.(attempt.epoch);
  // Asked while the state is read.
  const lookedAtMs = performance.now();
  const looking = source.tables();
  looking.catch(() => {});
  const route = await store.read();
  if (route?.checkpoint?.phase !== 'ready') expected.abort();
  await definition.tables.prepare();
  const mapper = new TableMapper(definition.name, definition.tables);
  const loading = { ...attempt, mapper, meter: attempt.meter.work, onProgress: attempt.onLoad };
  const settled = await settleDefinition(loading, route);
  attempt.onLoad(null);
  // What a load that failed has left registered was never begun with.
  const { tables: stored = [], joining = null, isChanged = false } = settled ?? {};
  const isFresh = performance.now() - lookedAtMs < freshMs;
  const now = await (isFresh ? looking : source.tables());
  for (const table of stored) if (table.definition !== null) mapper.adjust(table.definition, table.definition);
  // With DDL commands the queue tells of new tables in their place: what is new is only known when that is reached.
  const isTold = definition.ddl === 'replicate' && stored.length > 0;
  const found = isTold ? [] : newTables(definition, now, stored).map(tableLabel);
  const appeared = found.filter((label) => joining?.labels.includes(label) !== true);
  if (definition.newTables === 'halt' && appeared.length > 0)
    throw fail(sourceErrors.newTables, { route: definition.name, tables: appeared.join(', ') });
  const known = new Set(stored.map((table) => table.source));
  // A table that the queue has yet to tell of, or that has no key so far, keeps nobody from going on with the others.
  const untold = isTold
    ? now.map(tableLabel).filter((label) => !known.has(label) && joining?.labels.includes(label) !== true)
    : [];
  const left = definition.newTables === 'ignore' ? [...appeared, ...untold] : untold;
  const carried = now.filter((table) => !left.includes(tableLabel(table)) && (!isTold || known.has(tableLabel(table))));
  // What the queue goes on with; the catalogue is newer.
  const isFollowing = definition.schemaChanges !== 'halt' || definition.ddl === 'replicate';
  const checkpoint = route?.checkpoint ?? null;
  await demandFit(attempt, mapper, {
    versions: isFollowing ? storedVersions(carried, stored) : carried,
    left,
    accepted:
      isFollowing && isToBeAccepted(attempt, checkpoint?.phase === 'ready' ? checkpoint.position : null) ? carried : [],
  });
  const isLoaded = checkpoint !== null && checkpoint.phase !== 'creating';
  if (!isLoaded) {
    await initialLoad(loading);
    attempt.onLoad(null);
  }
  if (signal.aborted) return;
  // Nobody else changes them under the lease.
  let first: Known | null = isLoaded && !isChanged && checkpoint !== null ? { checkpoint, stored } : null;
  let joins = joining;
  // What has appeared since the route's tables were stored is noticed while it streams.
  for (;;) {
    const keyless = await openKeylessView({ ...loading, signal: AbortSignal.any([signal, attempt.cut]) });
    // Their begin has taken a checkpoint.
    if (keyless.view !== null) first = null;
    const published = await streamRoute(attempt, mapper, { known: first, joining: joins, keyless }).finally(() =>
      keyless.view?.snapshot.close(),
    );
    first = null;
    if (published === null || signal.aborted) return;
    if (published === 'anew') continue;
    if (joins === null) await loadNewTables(loading, published);
    else await joins.begin(published);
    joins = null;
    attempt.onLoad(null);
  }
}

interface Fit {
  readonly versions: readonly TableVersion[];
  /** Labels of tables that are left out: what is found of them is no matter. */
  readonly left: readonly string[];
  /** Tables as a person says that they are at the target, though the queue has not come to that. */
  readonly accepted: readonly TableVersion[];
}

function isToBeAccepted({ source, acceptSchemaChangesTo }: RouteAttempt, reached: Position | null): boolean {
  return acceptSchemaChangesTo !== null && !(reached !== null && source.order.covers(reached, acceptSchemaChangesTo));
}

/** Both sides take the route's tables. */
async function demandFit(attempt: RouteAttempt, mapper: TableMapper, { versions, left, accepted }: Fit): Promise<void> {
  const { definition, source, target, store } = attempt;
  const bindings = versions.map((table) => mapper.bind(table));
  const tables = bindings.flatMap((binding) => binding.tables.map((mapped) => ({ source: binding.source, mapped })));
  const mapped = tables.map((table) => table.mapped);
  const asking = [ownTables(attempt, tables), source.preflight(), target.preflight(mapped)] as const;
  const [own, ...asked] = await Promise.all(asking);
  if (own !== null) throw own;
  const found = [
    ...bindings.flatMap((binding) => mixedFindings(binding, definition.name, definition.from.name)),
    ...bindings.flatMap((binding) => undeclaredFindings(binding, definition)),
    ...asked[0],
    ...(await unlessAccepted(attempt, mapper, { accepted, findings: asked[1] })),
  ];
  logWarnings(found, attempt.logger);
  const unpublished = found.flatMap(({ level, unpublished = [] }) => (level === 'error' ? unpublished : []));
  await noteUnpublished(unpublished, { source, store, behind: null });
  // A queue that is lost, or another's, is told by what reads or makes it, with a code of its own.
  throwFindings(
    definition.name,
    found.filter(
      ({ level, code, table = '', whole = table }) =>
        level === 'error' && !['source.slotLost', 'source.slotTaken'].includes(code) && !left.includes(whole),
    ),
  );
}

/**
 * What is found of a target table that is already what the queue has yet to make of it is no error: rows that are before that are looked at by
 * themselves.
 */
async function unlessAccepted(
  { target }: RouteAttempt,
  mapper: TableMapper,
  { accepted, findings }: { readonly accepted: readonly TableVersion[]; readonly findings: readonly Finding[] },
): Promise<readonly Finding[]> {
  const wrong = new Set(
    findings.flatMap(({ level, table }) => (level === 'error' && table !== undefined ? [table] : [])),
  );
  const again = accepted.flatMap((table) => mapper.bind(table).tables).filter((table) => wrong.has(tableLabel(table)));
  if (again.length === 0) return findings;
  const still = await target.preflight(again);
  const isStill = new Set(still.flatMap(({ level, table }) => (level === 'error' ? [table] : [])));
  const settled = new Set(again.map(tableLabel).filter((label) => !isStill.has(label)));
  return findings.filter(({ level, table }) => level !== 'error' || table === undefined || !settled.has(table));
}

/** What is stored of a route that was loaded. */
interface Known {
  readonly checkpoint: StoredRoute['checkpoint'];
  readonly stored: readonly StoredTable[];
}

async function readKnown(store: RouteStateStore): Promise<Known> {
  const [route, stored] = await Promise.all([store.read(), store.tables()]);
  return { checkpoint: route?.checkpoint ?? null, stored };
}

interface Session {
  /** Null where it is to be read. */
  readonly known: Known | null;
  /** Before others: what is new meanwhile is told to the next session. */
  readonly joining: JoiningTables | null;
  readonly keyless: OpenedView;
}

/**
 * Until aborted, or until tables that join, or that have appeared and that the route means, have their changes in its queue, which gives
 * them; or until a load has to begin anew.
 */
async function streamRoute(
  attempt: RouteAttempt,
  mapper: TableMapper,
  { known, joining, keyless }: Session,
): Promise<PublishedTables | 'anew' | null> {
  const { definition, source, target, store, epoch, signal } = attempt;
  const targetIdentity = target.identity();
  targetIdentity.catch(() => {});
  const { checkpoint, stored } = known ?? (await readKnown(store));
  if (checkpoint?.phase !== 'ready') throw fail(routeErrors.notRegistered, { route: definition.name });
  const asking = [sourceName(source, checkpoint.source), targetIdentity] as const;
  const [sourceNode, targetNode] = await Promise.all(asking);
  const appeared = new AbortController();
  const anew = new AbortController();
  const over = new AbortController();
  let published: PublishedTables | null = null;
  let refused: { readonly error: unknown } | null = null;
  const refuse = (error: unknown): void => {
    if (over.signal.aborted) return;
    refused = { error };
    over.abort();
  };
  let publishing: Promise<void> | null = null;
  /** Others have appeared meanwhile. */
  let more = false;
  const publish = async (): Promise<void> => {
    do {
      more = false;
      published = await (joining?.publish(over.signal) ?? publishAppeared(attempt, mapper, over.signal));
    } while (published === null && more);
    publishing = null;
    if (published !== null) appeared.abort();
  };
  // Rows for a target of another vendor are objects by the dozen while they wait, of which V8 leaves as many behind as live.
  const share = target.carrier === undefined ? 4 : 8;
  const budget = new ByteBudget(Math.floor(definition.apply.memoryBytes / share));
  const opening = target.consumer({
    epoch,
    checkpoint,
    sourceNode,
    map: async (...asked) => mapper.remap(...asked),
    share: (share) => mapper.share(share),
    meter: attempt.meter.work,
  });
  // Told below, with what else is asked meanwhile.
  opening.catch(() => {});
  const windows = new WatermarkWindows();
  const readsEarly = new SessionReadsEarly({
    route: definition,
    order: source.order,
    meter: attempt.meter,
    acceptsSchemaChanges: attempt.acceptSchemaChangesTo !== null,
  });
  const early: EarlyReading = {
    isWelcome: () => windows.size === 0 && consumer.parked().count === 0,
    onEarly: (end) => readsEarly.given(end),
  };
  const collector = source.collector(checkpoint.source, {
    budget,
    isWatched: () => windows.size > 0,
    ...(joining === null && readsEarly.mayFrom(checkpoint.position) && { early }),
    heartbeatMs: attempt.heartbeatMs,
    carried: carriedTables(stored),
    joining: joining?.labels ?? [],
    onNewTables: (labels) => {
      if (definition.newTables === 'ignore') {
        attempt.logger.info({ tables: labels }, 'tables have appeared and are left out');
        return;
      }
      if (publishing === null) publishing = publish().catch(refuse);
      else more = true;
    },
    onTouched: (labels) => guard.touch(labels),
    replicated: stored.map((table) => table.source),
    onIdentity: (changed) => store.setSource(changed),
    onClockOffset: (offsetMs) => {
      attempt.meter.clockOffsetMs = offsetMs;
      attempt.meter.beaten();
    },
    isStill: () => attempt.meter.isStill,
    onWorking: () => attempt.meter.worked(),
    onWritten: (end) => {
      attempt.meter.written = end;
    },
    onRetained: (bytes, room = null) => {
      attempt.meter.retainedBytes = bytes;
      attempt.meter.room = room;
    },
    meter: attempt.meter.work,
  });
  const guard = new SchemaGuard({
    route: definition,
    mapper,
    store,
    source,
    target,
    logger: attempt.logger,
    stored,
    acceptedTo: attempt.acceptSchemaChangesTo,
    leftOut: attempt.meter.leftOut,
    onMoved: (from, to) => loads.moved(from, to),
  });
  guard.begin();
  attempt.onStreaming(() => guard.ignored);
  const loading = new LoadingTables();
  const loads = new LoadsBesideStream({
    definition,
    source,
    target,
    store,
    mapper,
    windows,
    loading,
    desk: attempt.desk,
    keyless,
    onAnew: () => anew.abort(),
    meter: attempt.meter.work,
    logger: attempt.logger,
    lagMs: () => attempt.meter.lagMs,
    tableDefinition: (label) => guard.definition(label),
    onProgress: (progress, initial) => attempt.onLoadBeside(progress, initial),
    onLoaded: (rows) => attempt.onLoaded(rows),
  });
  await loads.open().catch(async (error: unknown) => {
    await opening.then(
      (opened) => opened.close(),
      () => {},
    );
    throw error;
  });
  const consumer = await opening;
  const loadingTables = loads.run(over.signal).catch(refuse);
  if (joining !== null) publishing = publish().catch(refuse);
  const channel = new MemoryChannel();
  const looks = new TargetLooks();
  const reader = source.reader();
  const carrying = carryAgain(attempt, over.signal);
  attempt.onLive({ windows, looks, reader, ended: over.signal });
  try {
    await streamSession({
      collector,
      consumer,
      channel,
      mapper,
      guard,
      budget,
      meter: attempt.meter,
      groupRows: definition.apply.groupRows,
      groupTimeMs: definition.apply.groupTimeMs,
      targetNode,
      signal: AbortSignal.any([signal, appeared.signal, anew.signal, over.signal]),
      cut: attempt.cut,
      asked: attempt.asked,
      windows,
      looks,
      loading,
      onApplied: (part) => {
        loads.applied(part);
        if (part.commit !== null) readsEarly.applied(part.commit.position);
      },
      onHeartbeat: () => attempt.onHeartbeat(),
    });
  } catch (error) {
    await noteUnpublished(unpublishedOf(error), {
      source,
      store,
      behind: attempt.meter.written ?? checkpoint.position,
    });
    throw readsEarly.ended(error);
  } finally {
    attempt.onLive(null);
    over.abort();
    await reader.close();
    await carrying;
    await loadingTables;
    await publishing;
  }
  if (refused !== null) throw (refused as { readonly error: unknown }).error;
  // What joins is put into the queue again.
  return published === null && anew.signal.aborted ? 'anew' : published;
}

async function sourceName(source: Source, stored: SourceIdentity): Promise<string> {
  return source.storedOriginName?.(stored) ?? source.originName(await source.identity());
}

function carriedTables(stored: readonly StoredTable[]): readonly CarriedTable[] {
  return stored.map(({ source: label, loadedTo, definition }) => ({
    label,
    known: definition === null ? null : { schema: definition.schema, name: definition.name, id: definition.id },
    from: loadedTo ?? null,
  }));
}

/** Tables that a glob of the route means and that the route has not begun with. */
function newTables(
  { tables }: RouteDefinition,
  now: readonly TableVersion[],
  stored: readonly StoredTable[],
): readonly TableVersion[] {
  const known = new Set([...stored.map((table) => table.source), ...tables.exact.map(tableLabel)]);
  // Before its first start a route has none.
  return stored.length === 0 ? [] : now.filter((table) => !known.has(tableLabel(table)));
}

/**
 * Beside the stream: tables that have appeared are put into its queue. Null where there are none after all, since what a look at names alone takes for
 * new may be a partition of a table of the route.
 */
async function publishAppeared(
  attempt: RouteAttempt,
  mapper: TableMapper,
  signal: AbortSignal,
): Promise<PublishedTables | null> {
  const { definition, source } = attempt;
  // With DDL commands the queue tells of new tables in their place: what is new is only known when that is reached.
  if (definition.ddl === 'replicate') await reachNow(attempt, signal);
  const tables = await appearedTables(attempt);
  if (tables.length === 0 || signal.aborted) return null;
  if (definition.newTables === 'halt')
    throw fail(sourceErrors.newTables, { route: definition.name, tables: tables.map(tableLabel).join(', ') });
  // Before they are published: what the target can't take is not to be asked of the source.
  await demandFit(attempt, mapper, { versions: tables, left: [], accepted: [] });
  return await source.publishTables(tables, signal);
}

/** Whatever commands were committed before this call are carried out. */
async function reachNow({ source, meter }: RouteAttempt, signal: AbortSignal): Promise<void> {
  const now = await source.mark();
  while (!signal.aborted && !(meter.applied !== null && source.order.covers(meter.applied, now)))
    await pause(100, signal);
}

async function appearedTables({ definition, source, store }: RouteAttempt): Promise<readonly TableVersion[]> {
  const told = new Set(await source.announced());
  return newTables(definition, await source.tables(), await store.tables()).filter(
    (table) => !told.has(tableLabel(table)),
  );
}

/** What goes wrong with a sequence never ends the stream: it is told, and tried again. */
async function carryAgain({ definition, source, target, logger }: RouteAttempt, signal: AbortSignal): Promise<void> {
  const { sequencesEveryMs } = definition;
  if (sequencesEveryMs === null) return;
  let told = '';
  while (!signal.aborted) {
    try {
      const mapper = new TableMapper(definition.name, definition.tables);
      const reports = await carrySequences({ source, target, mapper, which: definition.sequences });
      const off = reports.filter(({ outcome }) => ['missing', 'outOfRange', 'refused'].includes(outcome));
      const text = JSON.stringify(off);
      if (off.length > 0 && text !== told) logger.warn({ sequences: off }, 'sequences are not carried');
      told = text;
    } catch (error) {
      logger.warn({ reason: asTidelockError(error).message }, 'sequences are not carried');
    }
    await pause(sequencesEveryMs, signal);
  }
}

/** One line a code: a glob may match very many. */
function logWarnings(findings: readonly Finding[], logger: Logger): void {
  const byCode = new Map<string, Finding[]>();
  for (const finding of findings)
    if (finding.level === 'warning') byCode.set(finding.code, [...(byCode.get(finding.code) ?? []), finding]);
  for (const [code, found] of byCode) {
    const tables = found.flatMap(({ table }) => table ?? []);
    const { node, message, remedy } = found[0] ?? {};
    logger.warn(
      { code, node, message, remedy, count: found.length, tables: tables.slice(0, 100) },
      'preflight warning',
    );
  }
}
