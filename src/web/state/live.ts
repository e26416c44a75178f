import { signal } from '@preact/signals';
import type { JournalEntry, MetricsDocument, ReasonDocument, RouteDocument, StatusDocument } from '../api/documents.ts';
import type { StreamEvent } from '../api/event-stream.ts';
import { type Liveness, LiveStream } from '../api/live-stream.ts';
import { words } from '../format/words.ts';
import { announce } from './announcements.ts';
import { RouteHistory } from './route-history.ts';
import { ask, type Session, signOut } from './session.ts';

export interface LiveStatus {
  readonly routes: readonly RouteDocument[];
  /** When it arrived, by this machine's clock. */
  readonly atMs: number;
}

/** The last that the service has told; null before. It stays when the stream is cut: `liveness` says so. */
export const liveStatus = signal<LiveStatus | null>(null);
/** Why the service itself can't tell the status; null while it can. */
export const problem = signal<ReasonDocument | null>(null);
export const liveness = signal<Liveness>({ kind: 'connecting' });
/** Journal entries that came since the page was opened, the newest first. */
export const freshJournal = signal<readonly JournalEntry[]>([]);

const freshKept = 200;
const recalledRoutes = 16;
const histories = new Map<string, RouteHistory>();
let stream: LiveStream | null = null;

/** Of a route that the status names; read beside `liveStatus`, with which it changes. */
export function historyOf(route: string): RouteHistory {
  const found = histories.get(route) ?? new RouteHistory();
  histories.set(route, found);
  return found;
}

export function followLive({ token }: Session): void {
  stream?.close();
  stream = new LiveStream({
    token,
    onEvent: take,
    onLiveness: (now) => {
      const before = liveness.value;
      if (now.kind === 'live' && before.kind === 'live') return;
      liveness.value = now;
      if (now.kind === 'cut' && before.kind !== 'cut') announce('The connection is cut: what is shown is not live.');
      if (now.kind === 'live' && before.kind === 'cut') announce('Live again.');
    },
    onRefused: (error) => signOut(error),
  });
}

export function stopFollowing(): void {
  stream?.close();
  stream = null;
  liveStatus.value = null;
  problem.value = null;
  freshJournal.value = [];
  histories.clear();
}

/** What the service remembers of each route, where they are few: small lines then don't begin with nothing. */
async function recall(routes: readonly RouteDocument[]): Promise<void> {
  if (routes.length > recalledRoutes) return;
  for (const { name } of routes) {
    try {
      const { history } = await ask<MetricsDocument>(`routes/${encodeURIComponent(name)}/metrics`);
      historyOf(name).remember(history);
    } catch {
      // The lines begin with what comes, then.
    }
  }
}

export function reconnectNow(): void {
  stream?.retryNow();
}

window.addEventListener('online', reconnectNow);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') reconnectNow();
});

function take({ event, data }: StreamEvent): void {
  if (event === 'status') takeStatus(JSON.parse(data) as StatusDocument);
  else if (event === 'problem') problem.value = (JSON.parse(data) as { readonly error: ReasonDocument }).error;
  else if (event === 'journal') {
    const entry = JSON.parse(data) as JournalEntry;
    freshJournal.value = [entry, ...freshJournal.value].slice(0, freshKept);
  }
}

function takeStatus({ routes }: StatusDocument): void {
  const atMs = Date.now();
  for (const route of routes) historyOf(route.name).add(route, atMs);
  tellChanges(liveStatus.value?.routes ?? [], routes);
  const isFirst = liveStatus.value === null;
  liveStatus.value = { routes, atMs };
  problem.value = null;
  if (isFirst) void recall(routes);
}

/** For those who hear the page: changes of state and health, not of numbers. */
function tellChanges(before: readonly RouteDocument[], after: readonly RouteDocument[]): void {
  for (const route of after) {
    const old = before.find(({ name }) => name === route.name);
    if (old === undefined || (old.state === route.state && old.health === route.health)) continue;
    const reason = route.reason === null ? '' : `: ${route.reason.message}`;
    announce(`${route.name} is ${words(route.state)}, health ${route.health}${reason}`);
  }
}
