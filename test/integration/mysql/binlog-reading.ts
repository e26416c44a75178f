import { connectMysql } from '../../../connectors/mysql/connect.ts';
import { readServerFacts } from '../../../connectors/mysql/server-facts.ts';
import { MysqlCollector } from '../../../connectors/mysql/source/mysql-collector.ts';
import { binlogOrder, formatPosition } from '../../../connectors/mysql/source/position/binlog-position.ts';
import { identityOf, readEnd } from '../../../connectors/mysql/source/start-check.ts';
import { tableSelection, wholeTable } from '../../../src/config/table-selection.ts';
import { ByteBudget } from '../../../src/core/byte-budget.ts';
import type { Row } from '../../../src/core/cell.ts';
import { isRowChange, type RowChange } from '../../../src/core/change.ts';
import type { StartPoint } from '../../../src/core/collector.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { WorkMeter } from '../../../src/core/work-meter.ts';
import type { MysqlServer } from '../../support/mysql.ts';
import { routeOf } from '../collector/reading.ts';

/** A route that replicates every table of one database. */
export function mysqlRoute(
  server: Pick<MysqlServer, 'node'>,
  database: string,
  change: Partial<RouteDefinition> = {},
): RouteDefinition {
  return routeOf(server, { tables: tableSelection('r', [{ ...wholeTable, name: `${database}.*` }], []), ...change });
}

/** Where the server's binlog ends now, and whose it is. */
export async function endOf(
  server: MysqlServer,
): Promise<{ readonly position: Position; readonly stored: SourceIdentity }> {
  const session = await connectMysql(server.node);
  try {
    const facts = await readServerFacts(session);
    return { position: formatPosition(await readEnd(session, facts)), stored: identityOf(facts) };
  } finally {
    session.close();
  }
}

export interface BinlogReadingOptions {
  readonly route: RouteDefinition;
  readonly start: StartPoint;
  readonly stored: SourceIdentity;
  readonly budgetBytes?: number;
  readonly heartbeatMs?: number;
  readonly isWatched?: () => boolean;
  /** As the route's earlier streams have left it. */
  readonly cutOff?: Set<string>;
  /** Called for each part before it is released. */
  readonly onPart?: (part: TransactionPart) => void | Promise<void>;
}

/** The smallest reader of a binlog that keeps the contract. */
export class BinlogReading implements AsyncDisposable {
  readonly parts: TransactionPart[] = [];
  readonly budget: ByteBudget;
  readonly collector: MysqlCollector;
  checkpoint: StartPoint;
  error: unknown = null;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #wake: () => void = () => {};

  constructor(options: BinlogReadingOptions) {
    this.budget = new ByteBudget(options.budgetBytes ?? 128_000_000);
    this.checkpoint = options.start;
    const { route, stored } = options;
    const meter = new WorkMeter();
    this.collector = new MysqlCollector({
      route,
      stored,
      logger: silentLogger,
      cutOff: options.cutOff ?? new Set(),
      carried: null,
      budget: this.budget,
      meter,
      heartbeatMs: options.heartbeatMs ?? 600_000,
      onIdentity: async () => {},
      onRetained: () => {},
      ...(options.isWatched && { isWatched: options.isWatched }),
    });
    this.#ended = this.#run(options);
  }

  async #run({ start, onPart }: BinlogReadingOptions): Promise<void> {
    try {
      for await (const parts of this.collector.stream(start, this.#stop.signal))
        for (const part of parts) {
          await onPart?.(part);
          this.budget.release(part.bytes);
          this.parts.push(part);
          if (part.commit !== null) {
            const { position, id } = part.commit;
            this.checkpoint = { position, lastCommit: part.id === '' ? null : { position, id } };
          }
          this.#wake();
        }
    } catch (error) {
      this.error = error;
    }
    this.#wake();
  }

  /** Waits until `done` holds; throws what ended the stream, or after 20 s. */
  async until(done: () => boolean): Promise<void> {
    const timeout = AbortSignal.timeout(60_000);
    while (!done()) {
      if (this.error !== null) throw this.error;
      timeout.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timeout.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  reached(position: Position): Promise<void> {
    return this.until(() => binlogOrder.covers(this.checkpoint.position, position));
  }

  /** Waits for the end of the stream, and gives what ended it. */
  async failure(): Promise<unknown> {
    const timeout = setTimeout(() => this.#stop.abort(), 20_000);
    await this.#ended;
    clearTimeout(timeout);
    return this.error;
  }

  get changes(): RowChange[] {
    return this.parts.flatMap(({ changes }) => changes.filter(isRowChange));
  }

  /** New images of all inserts and updates so far. */
  get rows(): Row[] {
    return this.changes.flatMap((change) => (change.kind === 'delete' ? [] : [change.after]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    await this.collector.close();
  }
}
