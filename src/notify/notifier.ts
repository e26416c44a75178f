import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Reason, Told } from '../core/route-status.ts';
import { type AlarmState, advance, quiet } from './alarm.ts';
import type { Notice } from './notice.ts';
import { noticeText, together } from './notice-text.ts';
import { observeHealth, observeRetention, type Trouble, type WatchedRoute } from './observe.ts';

const tickMs = 1_000;

/** What happens to other routes meanwhile, from the same cause, is told with it. */
const gatherMs = 3_000;

export interface NotifierOptions {
  readonly deployment: string;
  readonly routes: {
    routes(): readonly string[];
    of(route: string): WatchedRoute | null;
  };
  /** Resolves when everybody has it, or was given up. */
  deliver(notice: Notice): Promise<void>;
  /** People know this now: it is stored with the route. */
  onTold(route: string, told: Told): void;
  /** The service ends: what it does to its routes is nothing to be told. */
  isDraining?(): boolean;
  readonly nowMs?: () => number;
}

interface Watch {
  /** Null while another engine has the route: what it tells is its own matter, and read again with the next takeover. */
  health: AlarmState | null;
  retention: AlarmState | null;
  /** Another engine had the route when that was last known. */
  stoodBy: boolean;
  /** What an engine before this one has told is known. */
  adopted: boolean;
  /** The takeover that was told. */
  inherited: string | null;
}

/**
 * Looks once a second how each route is, and tells people what changed for the worse, stayed so, and that it is well
 * again. Of several engines the one that has a route tells of it. What it has told is stored with the route at its
 * target: an engine that takes over goes on where the one before has stopped, and tells that this one was gone.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #nowMs: () => number;
  readonly #watches = new Map<string, Watch>();
  /** By what they have in common. */
  readonly #gathered = new Map<string, { readonly sinceMs: number; readonly notices: Notice[] }>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), tickMs).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#deliver(Number.POSITIVE_INFINITY);
  }

  tick(): void {
    const { routes, isDraining } = this.#options;
    if (isDraining?.()) return;
    const names = routes.routes();
    for (const name of this.#watches.keys()) if (!names.includes(name)) this.#watches.delete(name);
    for (const name of names) {
      const route = routes.of(name);
      if (route !== null) this.#look(name, route);
    }
    this.#deliver(this.#nowMs());
  }

  #look(name: string, route: WatchedRoute): void {
    const watch = this.#watches.get(name) ?? {
      health: null,
      retention: null,
      stoodBy: false,
      adopted: false,
      inherited: null,
    };
    this.#watches.set(name, watch);
    if (route.state === 'standby' || route.state === 'fenced') {
      watch.stoodBy = true;
      watch.adopted = false;
      watch.health = null;
      watch.retention = null;
      return;
    }
    if (route.leads && route.status !== null) {
      if (!watch.adopted) adopt(watch, route.status.told);
      watch.stoodBy = false;
      this.#inherited(name, route, watch);
    }
    this.#advance(name, route, { watch, about: 'health', now: observeHealth(route, watch.stoodBy) });
    this.#advance(name, route, { watch, about: 'retention', now: observeRetention(route) });
  }

  #inherited(name: string, route: WatchedRoute, watch: Watch): void {
    const from = route.status?.inherited;
    const key = from === undefined ? null : `${from.host} ${from.pid}`;
    if (key !== null && key !== watch.inherited)
      this.#tell(name, route, {
        event: 'takeover',
        about: 'health',
        severity: 'info',
        sinceMs: this.#nowMs(),
        trouble: null,
      });
    watch.inherited = key;
  }

  #advance(
    name: string,
    route: WatchedRoute,
    { watch, about, now }: { watch: Watch; about: Notice['about']; now: Trouble | null | undefined },
  ): void {
    const before = watch[about] ?? quiet(null);
    if (now === undefined) {
      if (watch[about] !== null) watch[about] = { ...before, pending: null };
      return;
    }
    const { state, tell } = advance(before, now, this.#nowMs());
    watch[about] = state;
    if (tell === null) return;
    const severity = tell === 'recovery' ? 'info' : (now?.severity ?? 'warning');
    const sinceMs = (tell === 'recovery' ? before.pending?.sinceMs : state.told?.sinceMs) ?? this.#nowMs();
    this.#tell(name, route, { event: tell, about, severity, sinceMs, trouble: now });
  }

  #tell(
    name: string,
    route: WatchedRoute,
    {
      sinceMs,
      trouble,
      ...what
    }: Pick<Notice, 'event' | 'about' | 'severity'> & { readonly sinceMs: number; readonly trouble: Trouble | null },
  ): void {
    const { deployment } = this.#options;
    const { state, health, status } = route;
    const notice: Notice = {
      version: 1,
      id: randomUUID(),
      ...what,
      text: noticeText(what, `${deployment}/${name}`, { route, trouble }),
      deployment,
      route: name,
      routes: [name],
      state,
      health,
      reason: trouble === null || trouble.reason === null ? null : reasonOf(trouble.reason),
      lagMs: status?.lagMs ?? null,
      retainedBytes: status?.retainedBytes ?? null,
      parked: status?.parked ?? 0,
      since: new Date(sinceMs).toISOString(),
      at: new Date(this.#nowMs()).toISOString(),
      host: hostname(),
      pid: process.pid,
    };
    const key = JSON.stringify([notice.event, notice.about, notice.severity, notice.reason?.code]);
    const gathered = this.#gathered.get(key) ?? { sinceMs: this.#nowMs(), notices: [] };
    gathered.notices.push(notice);
    this.#gathered.set(key, gathered);
  }

  #deliver(nowMs: number): void {
    for (const [key, { sinceMs, notices }] of this.#gathered) {
      if (nowMs - sinceMs < gatherMs) continue;
      this.#gathered.delete(key);
      const notice = together(notices);
      // Not before: an engine that ends meanwhile has told nobody, and the next one does.
      if (notice !== null) void this.#options.deliver(notice).then(() => this.#told(notice.routes));
    }
  }

  #told(routes: readonly string[]): void {
    for (const name of routes) {
      const watch = this.#watches.get(name);
      if (watch === undefined || watch.stoodBy) continue;
      this.#options.onTold(name, { health: watch.health?.told ?? null, retention: watch.retention?.told ?? null });
    }
  }
}

/** Goes on where the engine before has stopped, unless this one has told something itself. */
function adopt(watch: Watch, told: Told | undefined): void {
  watch.adopted = true;
  if (watch.health === null || watch.health.told === null) watch.health = quiet(told?.health ?? null);
  if (watch.retention === null || watch.retention.told === null) watch.retention = quiet(told?.retention ?? null);
}

function reasonOf({ code, message, remedy }: Reason): Reason {
  return { code, message, ...(remedy !== undefined && { remedy }) };
}
