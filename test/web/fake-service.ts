import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setInterval as every } from 'node:timers';
import { readWebPage, webPageHeaders } from '../../src/api/web-page.ts';
import type { RouteView } from '../../src/control/route-view.ts';
import { type FakeDeployment, type FakeEntry, fakeDeployment } from './fake-deployment.ts';
import {
  droppedOf,
  fakePlan,
  findings,
  metricsOf,
  positionOf,
  schema,
  sharedFindings,
  tables,
} from './fake-documents.ts';
import { fakeJobs } from './fake-jobs.ts';

export type FakeRole = 'viewer' | 'operator' | 'admin';

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** What was asked for by a POST. */
export interface FakeRequest {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/**
 * A service as far as the page knows it, over a deployment that is made up: for developing the page, and for tests of
 * what a real service does seldom (a cut stream, an answer that is an error). The contract itself is tested against
 * the real one.
 */
export class FakeService {
  readonly deployment: FakeDeployment = fakeDeployment();
  readonly tokens: Readonly<Record<string, FakeRole>> = { view: 'viewer', operate: 'operator', admin: 'admin' };
  readonly asked: FakeRequest[] = [];
  /** The next POST is answered with this. */
  refusal: { status: number; code: string; message: string; remedy: string } | null = null;
  /** How far what the plan says has come. */
  applied: 'no' | 'pending' | 'done' = 'no';
  /** So often it answers that it is still asking the nodes. */
  late = 0;
  /** Streams are refused, as by a service that is gone. */
  streamsRefused = false;
  /** Nothing is said any more on streams that stay open. */
  silent = false;
  readonly #streams = new Set<ServerResponse>();
  readonly #clock: NodeJS.Timeout;
  readonly #startedAt = new Date(Date.now() - 3 * 86_400_000).toISOString();

  constructor({ moving }: { readonly moving: boolean }) {
    this.#clock = every(() => {
      if (moving) this.#move();
      this.tell();
    }, 1000);
    this.#clock.unref();
  }

  close(): void {
    clearInterval(this.#clock);
    this.cutStreams();
  }

  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** To all who listen. */
  tell(): void {
    if (this.silent) return;
    for (const stream of this.#streams) stream.write(event('status', this.#status()));
  }

  change(name: string, shown: Partial<RouteView>): void {
    this.deployment.routes = this.deployment.routes.map((route) =>
      route.name === name ? { ...route, ...shown } : route,
    );
    this.tell();
  }

  /** False where the path is none of the API. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '/', 'http://fake');
    if (!url.pathname.startsWith('/v1/')) return false;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const role = this.tokens[token];
    const path = url.pathname.slice('/v1/'.length);
    if (role === undefined) send(response, refused(401, 'TL-5101', 'this wants a token'));
    else if (path === 'events') this.#stream(response);
    else if (request.method !== 'GET') void this.#act(path, role, request).then((answer) => send(response, answer));
    else if (this.late > 0 && /\b(plan|check|schema)$/.test(path)) {
      this.late--;
      send(response, refused(503, 'TL-1050', 'it still asks the nodes'));
    } else send(response, this.#get(path, url.searchParams, role));
    return true;
  }

  #stream(response: ServerResponse): void {
    if (this.streamsRefused) {
      response.destroy();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(event('status', this.#status()));
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #status() {
    return { version: 1, routes: this.deployment.routes };
  }

  #get(path: string, query: URLSearchParams, role: FakeRole): Answer {
    const { nodes, routes, journal, parked } = this.deployment;
    const [first = '', name = '', what = '', id = ''] = path.split('/');
    if (path === 'service') {
      const names = routes.map((one) => one.name);
      const about = { version: '0.1.0', host: 'tidelock-1', pid: 4711, startedAt: this.#startedAt, state: 'leading' };
      return found({ name: 'prod', ...about, nodes, routes: names, role });
    }
    if (path === 'status') return found(this.#status());
    if (path === 'jobs') {
      const jobs = query.get('route') === 'sales-to-reporting' ? fakeJobs('sales-to-reporting') : [];
      return found({ version: 1, jobs: jobs.map(({ result: _, engine: __, version: ___, ...job }) => job) });
    }
    if (path === 'journal') return found({ version: 1, ...page(journal, query), missing: [] });
    if (path === 'check') return found(sharedFindings);
    if (path === 'plan')
      return found(
        fakePlan({ keepRows: query.getAll('keepRows'), routes: query.getAll('route'), applied: this.applied }),
      );
    const route = routes.find((one) => one.name === name);
    if (first !== 'routes' || route === undefined) return refused(404, 'TL-1012', `there is no route ${name}`);
    const list = parked.get(name) ?? [];
    const own = journal.filter((one) => one.route === name);
    if (what === '') return found(route);
    if (what === 'tables') return found({ version: 1, route: name, tables });
    if (what === 'metrics') return found(metricsOf(route));
    if (what === 'position') return found(positionOf(route));
    if (what === 'jobs') return found(fakeJobs(name).find((job) => job.id === `${name}/${id}`) ?? {});
    if (what === 'check') return found({ name, ok: true, findings });
    if (what === 'schema') return found({ version: 1, route: name, ...schema });
    if (what === 'journal') return found({ version: 1, ...page(own, query), missing: [] });
    if (what !== 'parked') return refused(404, 'TL-5104', `there is no ${path}`);
    if (id === '') return found({ version: 1, route: name, parked: list });
    const one = list.find((parkedOne) => String(parkedOne.id) === id);
    if (one === undefined) return refused(404, 'TL-4114', `${id} is not parked`);
    const values = query.get('values') === 'true';
    if (values && role === 'viewer') return refused(403, 'TL-5103', 'values are for operators');
    const after = { sku: 'KX-2231', quantity: '-4', note: null, photo: { unchanged: true } };
    const change = { change: 'insert', tables: ['dwh.stock_levels'], keys: ['8f1c02aa91d3'], ...(values && { after }) };
    const keys = [{ resource: 'dwh.stock_levels', exclusive: true, digest: '8f1c02aa91d3' }];
    return found({ version: 1, route: name, ...one, keys, changes: [change] });
  }

  async #act(path: string, role: FakeRole, request: IncomingMessage): Promise<Answer> {
    let text = '';
    for await (const piece of request) text += String(piece);
    const body = JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>;
    this.asked.push({ path, body });
    if (role === 'viewer') return refused(403, 'TL-5103', 'a viewer may not do this');
    if (this.refusal !== null) {
      const { status, ...error } = this.refusal;
      this.refusal = null;
      return { status, body: { error } };
    }
    if (path === 'apply') {
      this.applied = 'pending';
      return found({ version: 1, routes: [{ name: 'sales-to-reporting', outcome: 'asked', reason: null }] });
    }
    if (path === 'orphans')
      return found({
        version: 1,
        leftovers: [
          {
            name: 'old-route',
            node: 'sales',
            hosts: ['pg-sales-1.internal:5432'],
            database: 'shop',
            parts: ['slot'],
            retainedBytes: 184_000_000,
            usedBy: null,
            dropped: body.dryRun !== true,
            statements: [],
          },
        ],
      });
    if (path.startsWith('nodes/'))
      return found({
        version: 1,
        leftovers: [
          {
            name: 'archive-backfill',
            node: 'reporting',
            hosts: ['pg-dwh-1.internal:5432'],
            database: 'dwh',
            parts: ['slot', 'publication'],
            retainedBytes: 0,
            usedBy: null,
            dropped: body.dryRun !== true,
            statements: [],
          },
          {
            name: 'archive-backfill',
            node: 'archive',
            hosts: ['pg-archive-1.internal:5432'],
            database: 'archive',
            parts: ['state'],
            retainedBytes: 0,
            usedBy: null,
            dropped: false,
            statements: ["DELETE FROM tidelock.routes WHERE key = 'prod/archive-backfill';"],
          },
        ],
      });
    const [, name = '', verb = '', what = ''] = path.split('/');
    const route = this.deployment.routes.find((one) => one.name === name);
    const dryRun = body.dryRun === true;
    if (request.method === 'DELETE' && route !== undefined) return found(droppedOf(route, { dryRun }));
    if (verb === 'position' && route !== undefined) {
      const position = body.adopt === true ? '9/1F00A3D0' : String(body.adopt);
      const before = route.target.position;
      return position.includes('/')
        ? found({ version: 1, route: name, position, before, adopted: !dryRun })
        : refused(409, 'TL-2002', `${position} is no position`);
    }
    if (['compare', 'repair', 'load', 'jobs'].includes(verb))
      return found({
        version: 1,
        id: `${name}/15`,
        state: 'waiting',
        wish: path.split('/').at(-1) === 'pause' ? 'pause' : 'run',
        engine: true,
      });
    if (verb === 'rename') return found({ version: 1, route: name, name: body.name, renamed: true, configured: false });
    this.#note(name, what === '' ? verb : `parked ${what}`, body);
    if (verb === 'parked') return found(this.#parking(name, what, body));
    const wanted = wantedBy[verb];
    if (wanted === 'running')
      this.change(name, { state: wanted, desiredState: wanted, reason: null, health: 'ok', lagMs: 60 });
    else if (wanted !== undefined)
      this.change(name, { state: wanted, desiredState: wanted, lagMs: null, health: 'ok' });
    return found({
      name,
      request: this.asked.length,
      desiredState: wanted ?? 'running',
      changed: true,
      engine: true,
      rested: false,
      unapplied: false,
    });
  }

  #parking(name: string, what: string, { ids }: Record<string, unknown>) {
    const list = this.deployment.parked.get(name) ?? [];
    const chosen = list.filter((one) => !Array.isArray(ids) || ids.includes(one.id));
    const left = list.filter((one) => !chosen.includes(one));
    this.deployment.parked.set(name, left);
    this.change(
      name,
      left.length > 0 ? { parked: left.length } : { parked: 0, parkedSince: null, reason: null, health: 'ok' },
    );
    const done = chosen.map(({ id }) => id);
    const [applied, discarded] = what === 'retry' ? [done, []] : [[], done];
    return { version: 1, route: name, request: 1, done: true, applied, discarded, failed: [], waiting: [] };
  }

  #note(route: string, action: string, { reason, ...details }: Record<string, unknown>): void {
    const entry: FakeEntry = {
      id: this.deployment.journal.length + 1,
      at: new Date().toISOString(),
      route,
      action,
      by: 'mira',
      via: 'api',
      reason: typeof reason === 'string' ? reason : null,
      details,
      result: 'done',
      code: null,
      message: null,
    };
    this.deployment.journal.unshift(entry);
    for (const stream of this.#streams) stream.write(event('journal', entry));
  }

  #move(): void {
    this.deployment.routes = this.deployment.routes.map((route, at) => {
      if (route.state === 'loading' && route.load !== null) {
        const rows = route.load.rows + 18_000;
        return { ...route, rows, load: { ...route.load, rows } };
      }
      if (route.state !== 'running') return route;
      const wave = 1 + 0.3 * Math.sin(Date.now() / 40_000 + at * 2) + 0.25 * Math.random();
      return {
        ...route,
        rows: route.rows + Math.round((60 + (route.name.length % 3) * 1100) * wave),
        transactions: route.transactions + Math.round(((60 + (route.name.length % 3) * 1100) / 5) * wave),
        lagMs: Math.round(([80, 200, 430][at] ?? 100) * (0.7 + 0.5 * wave * Math.random())),
      };
    });
  }
}

/** The page and the service on a port of their own, as the real one serves them. */
export async function startFakeService(options: { readonly moving: boolean } = { moving: false }) {
  const page = readWebPage();
  if (page === null) throw new Error('the page is not built: npm run build:web');
  const service = new FakeService(options);
  const server: Server = createServer((request, response) => {
    if (service.handle(request, response)) return;
    const file = page.get(new URL(request.url ?? '/', 'http://fake').pathname);
    if (file === undefined) {
      send(response, { status: 404, body: {} });
      return;
    }
    response.writeHead(200, {
      ...webPageHeaders,
      'content-type': file.type,
      'cache-control': file.cacheControl,
      etag: file.etag,
    });
    response.end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    service,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      service.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const wantedBy: Readonly<Record<string, 'running' | 'paused' | 'stopped'>> = {
  pause: 'paused',
  stop: 'stopped',
  start: 'running',
  resume: 'running',
};

function found(body: object): Answer {
  return { status: 200, body };
}

function refused(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message, remedy: 'See docs/console.md.' } } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function page(journal: readonly FakeEntry[], query: URLSearchParams) {
  const before = query.get('before');
  const older = journal.filter(({ at }) => before === null || at < before);
  const entries = older.slice(0, Number(query.get('limit') ?? 50));
  return { journal: entries, before: entries.length < older.length ? (entries.at(-1)?.at ?? null) : null };
}
