import type { Collector, StartPoint } from '../../../src/core/collector.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import type { CollectorOptions } from '../../../src/core/source.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { PartQueue } from '../../sql/part-queue.ts';
import { classifyMysqlError } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { readServerFacts } from '../server-facts.ts';
import { signalTable } from '../signals.ts';
import { type Beginning, BinlogStream } from './binlog-stream.ts';
import { readCollations } from './charset-tables.ts';
import { parsePosition } from './position/binlog-position.ts';
import { checkStart } from './start-check.ts';
import { TransactionAssembler } from './transaction-assembler.ts';

export interface MysqlCollectorOptions extends Pick<CollectorOptions, 'budget' | 'carried' | 'meter'> {
  readonly route: RouteDefinition;
  readonly stored: SourceIdentity;
  readonly logger: Logger;
}

/**
 * Reads a binlog and yields its transactions. Nothing is told to the server of what is durable: it keeps its binlogs by time, whoever reads
 * them (RetentionGuard watches how near their end is).
 */
export class MysqlCollector implements Collector {
  readonly #options: MysqlCollectorOptions;
  readonly #queue: PartQueue;
  readonly #stream: BinlogStream;
  #assembler: TransactionAssembler | null = null;
  #start: StartPoint | null = null;
  #closed = false;

  constructor(options: MysqlCollectorOptions) {
    this.#options = options;
    this.#queue = new PartQueue(options.budget);
    this.#stream = new BinlogStream({
      route: options.route,
      budget: options.budget,
      prepare: (session) => this.#prepare(session),
      onEvent: (bytes, start, end) => this.#event(bytes, start, end),
      onEnd: (error) => this.#fail(error),
    });
  }

  async *stream(start: StartPoint, signal: AbortSignal): AsyncGenerator<readonly TransactionPart[], void, undefined> {
    if (this.#start !== null) throw new TypeError('a Collector streams once');
    this.#start = start;
    const abort = (): void => void this.close();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else this.#stream.open().catch((error: unknown) => this.#fail(error));
    try {
      for (;;) {
        const parts = await this.#queue.take();
        if (parts === null) return;
        yield parts;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      await this.close();
    }
  }

  acknowledge(_durable: Position): void {}

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.end();
    this.#stream.close();
    this.#assembler?.close();
  }

  #fail(error: unknown): void {
    this.#queue.end(classifyMysqlError(error, this.#options.route.from.name));
    void this.close();
  }

  #event(bytes: Buffer, start: number, end: number): void {
    this.#assembler?.event(bytes, start, end);
  }

  async #prepare(session: MysqlSession): Promise<Beginning> {
    const { route, stored, budget, logger, carried } = this.#options;
    const start = this.#start;
    if (start === null) throw new TypeError('no start');
    const server = await readServerFacts(session);
    const position = await checkStart(session, { route: route.name, stored, position: start.position, server });
    const collations = await readCollations(session);
    const labels = carried === null ? null : new Set(carried.map(({ label }) => label));
    const isTaken = (schema: string, name: string): boolean =>
      schema !== signalTable.schema &&
      route.tables.select(schema, name) !== null &&
      (labels === null || labels.has(tableLabel({ schema, name })));
    const tables = new Map<string, TableVersion>();
    if (this.#closed) throw new TypeError('closed while it was prepared');
    this.#assembler = new TransactionAssembler({
      route: route.name,
      heartbeatId: routeKey(route),
      forward: route.forward,
      maxRowBytes: route.apply.maxRowBytes,
      maxPayloadBytes: Math.max(route.apply.memoryBytes, route.apply.maxRowBytes),
      maxPreparedBytes: Math.floor(budget.limitBytes / 2),
      start: parsePosition(start.position),
      collations,
      mariadb: server.vendor === 'mariadb',
      checksums: server.checksums,
      isTaken,
      tableOf: (table) => tables.get(tableLabel(table)) ?? null,
      emit: (part) => this.#queue.push(part),
      hold: (bytes) => (bytes < 0 ? budget.release(-bytes) : budget.take(bytes)),
    });
    logger.info({ server: server.version, checkpoint: start.position }, 'reading the binlog');
    return { server, position };
  }
}
