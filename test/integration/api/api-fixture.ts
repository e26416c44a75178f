import { join } from 'node:path';
import { ApiServer, type ApiServerOptions } from '../../../src/api/api-server.ts';
import type { LiveService } from '../../../src/api/live-service.ts';
import type { ApiSettings } from '../../../src/config/configuration.ts';
import { loadConfiguration } from '../../../src/config/load-configuration.ts';
import { LocalControl } from '../../../src/control/local-control.ts';
import { type ReadingsOptions, RouteReadings } from '../../../src/control/route-readings.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

export const tokens = {
  viewer: 'viewer-token-0123456789',
  operator: 'operator-token-0123456789',
  admin: 'admin-token-0123456789',
} as const;
export type TokenRole = keyof typeof tokens;

export const route = 'here-to-there';

const many = { burst: 1e9, perSecond: 1e9 };
export const noLimits = { requests: many, refusals: many };

export function live(more: Partial<LiveService> = {}): LiveService {
  return {
    version: '0.0.0',
    startedAt: new Date(),
    process: () => ({ host: 'h', pid: 1 }),
    name: () => 'test',
    nodes: () => [{ name: 'here', type: 'postgres', hosts: ['127.0.0.1:1'], database: 'x' }],
    state: () => 'leading',
    metrics: () => ({
      at: 1,
      lagMs: 2,
      retainedBytes: null,
      transactions: 3,
      rows: 4,
      rates: { rowsPerSecond: 0.5, transactionsPerSecond: 1 },
      perTable: [{ table: 'public.item', inserts: 1, updates: 0, deletes: 0, truncates: 0, loaded: 0, rows: 1 }],
      history: [{ at: 1, lagMs: null, rows: 0, transactions: 0, retainedBytes: null }],
    }),
    onStatus: () => () => {},
    counted: () => {},
    ...more,
  };
}

/** The API over a route between two databases that no engine runs. */
export class ServedApi implements AsyncDisposable {
  readonly file: RouteFile;
  readonly control: LocalControl;
  readonly readings: RouteReadings;
  readonly server: ApiServer;
  port = 0;
  /** Messages and fields of what was logged. */
  readonly log: string[] = [];

  constructor(
    sides: { readonly source: TestDatabase; readonly target: TestDatabase },
    settings: Partial<ApiSettings> = {},
    more: Partial<ApiServerOptions> = {},
    readings: ReadingsOptions = {},
  ) {
    this.readings = new RouteReadings(readings);
    this.file = new RouteFile({ ...sides, name: `a${sides.source.name.replaceAll('_', '')}`.slice(0, 30) });
    const configuration = loadConfiguration({
      file: join(this.file.folder, 'tidelock.yaml'),
      env: {},
      cwd: this.file.folder,
    });
    this.control = new LocalControl({ configuration: () => configuration, reader: this.readings });
    const note = (fields: object, message: string): void => {
      this.log.push(`${message} ${JSON.stringify(fields)}`);
    };
    const logger: Logger = { ...silentLogger, debug: note, info: note, warn: note, error: note };
    this.server = new ApiServer({
      settings: {
        listen: { host: '127.0.0.1', port: 0 },
        tls: () => null,
        tokens: () => Object.entries(tokens).map(([role, token]) => ({ name: role, role: role as TokenRole, token })),
        ...settings,
      },
      control: this.control,
      live: live(),
      logger,
      limits: noLimits,
      ...more,
    });
  }

  async listen(): Promise<this> {
    this.port = await this.server.listen();
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async ask(method: string, path: string, { token, body }: { token?: string | undefined; body?: unknown } = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as unknown };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.readings[Symbol.asyncDispose]();
    this.file[Symbol.dispose]();
  }
}
