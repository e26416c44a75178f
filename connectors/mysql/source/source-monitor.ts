import type { Logger } from '../../../src/core/logger.ts';
import { LookPace } from '../../../src/core/look-pace.ts';
import { pause } from '../../../src/core/pause.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { classifyMysqlError } from '../classify-error.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';
import { makeSignals } from '../own-database.ts';
import { readServerFacts, type ServerFacts } from '../server-facts.ts';
import { emitHeartbeat } from './emit-signal.ts';
import { compareFiles, type FilePlace, formatPosition } from './position/binlog-position.ts';
import { readBinlogs, readEnd } from './start-check.ts';

export interface SourceMonitorOptions {
  readonly route: RouteDefinition;
  readonly logger: Logger;
  readonly heartbeatMs: number;
  /** The session that streams, by its number at the server. */
  thread(): number | null;
  /** Where the stream has got to in the server's files. */
  place(): FilePlace | null;
  isNew(schema: string, name: string): boolean;
  /** Tables have appeared that the route means and does not carry. */
  onNewTables(tables: readonly string[]): void;
  onClockOffset(offsetMs: number): void;
  onWritten(end: Position): void;
  isStill(): boolean;
  onWorking(): void;
  /** What the binlogs hold that was not read yet. */
  onRetained(bytes: number): void;
}

/** A heartbeat is a few bytes and one commit, and a look one query: a server that takes longer is out of reach, or as good as that. */
const answerMs = 8_000;
const binlogsPollMs = 10_000;
const tablesPollMs = 4_000;

/** All routes of a source beat at the same moment: each heartbeat comes to all of them, and wakes each worker. */
function untilNextBeatMs(heartbeatMs: number): number {
  return heartbeatMs - (Date.now() % heartbeatMs);
}

/**
 * The Collector's own session beside the stream: commits heartbeats, and looks after the binlogs and for new tables. Nothing that goes wrong
 * here ends the stream; it tries again with a new session.
 */
export class SourceMonitor {
  readonly #options: SourceMonitorOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #binlogsPace = new LookPace(binlogsPollMs);
  readonly #tablesPace = new LookPace(tablesPollMs);
  #session: MysqlSession | null = null;
  #server: ServerFacts | null = null;
  #newTables = '';

  constructor(options: SourceMonitorOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    // One that is still connecting ends itself as soon as it has, or has given up: nobody needs to wait for that.
    if (this.#session === null) return;
    this.#session.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { heartbeatMs, logger, route } = this.#options;
    for (;;) {
      await pause(untilNextBeatMs(heartbeatMs), this.#stop.signal);
      if (this.#stop.signal.aborted) break;
      try {
        this.#session ??= await this.#connect();
        if (!this.#stop.signal.aborted) await this.#beatInTime(this.#session);
      } catch (error) {
        this.#session?.close();
        this.#session = null;
        if (!this.#stop.signal.aborted) {
          const { code, message } = classifyMysqlError(error, route.from.name);
          logger.warn({ code, reason: message }, 'heartbeat failed');
        }
      }
    }
    this.#session?.close();
  }

  async #connect(): Promise<MysqlSession> {
    const session = await connectMysql(this.#options.route.from);
    try {
      await makeSignals(session);
      this.#server = await readServerFacts(session);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  async #beatInTime(session: MysqlSession): Promise<void> {
    const timer = setTimeout(() => session.close(), answerMs);
    try {
      await this.#beat(session, () => timer.refresh());
    } finally {
      clearTimeout(timer);
    }
  }

  async #beat(session: MysqlSession, answered: () => void): Promise<void> {
    const { route, onClockOffset, onWritten, isStill } = this.#options;
    const sentMs = Date.now();
    const serverMs = await emitHeartbeat(session, route);
    // Half-way between sending and answer, give or take the commit.
    onClockOffset(serverMs - (sentMs + Date.now()) / 2);
    if (this.#server !== null) onWritten(formatPosition(await readEnd(session, this.#server)));
    if (isStill()) await this.#lookAtThread(session);
    answered();
    await this.#binlogsPace.look(() => this.#lookAtBinlogs(session));
    answered();
    await this.#tablesPace.look(() => this.#lookForTables(session));
  }

  /** It waits for new events, or for us to take them, or it works. */
  async #lookAtThread(session: MysqlSession): Promise<void> {
    const thread = this.#options.thread();
    if (thread === null) return;
    const [row] = await session.query('SELECT state FROM information_schema.processlist WHERE id = ?', [thread]);
    if (row !== undefined && !/waiting|has sent all|sending to|writing to net/i.test(row[0] ?? ''))
      this.#options.onWorking();
  }

  async #lookAtBinlogs(session: MysqlSession): Promise<void> {
    const place = this.#options.place();
    if (place === null || place.file === '') return;
    const left = (await readBinlogs(session)).filter(
      (file) => compareFiles({ ...file, offset: 0 }, { ...place, offset: 0 }) >= 0,
    );
    const bytes = left.reduce((sum, { file, offset }) => sum + offset - (file === place.file ? place.offset : 0), 0);
    this.#options.onRetained(Math.max(0, bytes));
  }

  async #lookForTables(session: MysqlSession): Promise<void> {
    const rows = await session.query(
      "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1, 2",
    );
    const found = rows.filter(([schema, name]) => this.#options.isNew(String(schema), String(name)));
    const labels = found.map(([schema, name]) => tableLabel({ schema: String(schema), name: String(name) }));
    const seen = labels.join();
    if (seen !== this.#newTables && labels.length > 0) this.#options.onNewTables(labels);
    this.#newTables = seen;
  }
}
