import type pg from 'pg';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { LookPace } from '../../../src/core/look-pace.ts';
import { pause } from '../../../src/core/pause.ts';
import type { Position } from '../../../src/core/position.ts';
import type { QueueRoom } from '../../../src/core/queue-room.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { classifyPostgresError, sqlState } from '../classify-error.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import { markerPrefixes } from './markers.ts';
import { lookAtPublication } from './publication-watch.ts';
import { queueNames } from './queue-names.ts';
import { answeredInTime, connectSide } from './sessions.ts';
import { readSlot } from './slot.ts';
import { isAwaited } from './standby-names.ts';
import type { TableWatch } from './table-watch.ts';

export interface SourceMonitorOptions {
  readonly route: RouteDefinition;
  readonly logger: Logger;
  readonly heartbeatMs: number;
  readonly walSenderPid: number;
  readonly tables: TableWatch;
  isCarried(schema: string, name: string): boolean;
  onClockOffset(offsetMs: number): void;
  onWritten(end: Position): void;
  isStill(): boolean;
  onWorking(): void;
  onRetained(bytes: number, room: QueueRoom | null): void;
  onSynchronous(synchronous: boolean): void;
  /** The server ends its sessions. It waits for its walsenders, however long they take. */
  onShutdown(error: unknown): void;
  /** The queue can't be read any more, or does not hold all that it should. */
  onLost(error: TidelockError): void;
}

/** A heartbeat is a few bytes and one commit, and a look one query: a server that takes longer is out of reach, or as good as that. */
const answerMs = 8_000;
/** PostgreSQL opens the tables of a publication to list them. */
const lockMs = 1_000;
const lockNotAvailable = '55P03';

/** SQLSTATEs: of a session that is ended, and of one that comes too late. */
const [adminShutdown, cannotConnectNow] = ['57P01', '57P03'];

const pollMs = 10_000;
const tablesPollMs = 4_000;

/**
 * Routes beat by the clock, and so together: each heartbeat comes through the queues of all routes of the same source, and
 * one by one they would wake each worker as often as there are routes.
 */
function untilNextBeatMs(heartbeatMs: number): number {
  return heartbeatMs - (Date.now() % heartbeatMs);
}

/**
 * The Collector's own session beside the stream. Commits a heartbeat every so often (the base of the measured lag; it
 * also keeps an idle database's WAL moving, so that its slot does) and looks after the slot. Nothing that goes wrong
 * here ends the stream, except that the slot is lost: it tries again with a new connection.
 */
export class SourceMonitor {
  readonly #options: SourceMonitorOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #tablesPace: LookPace;
  readonly #publicationPace: LookPace;
  #client: pg.Client | null = null;
  #answeredAtMs = performance.now();
  #polledAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SourceMonitorOptions) {
    this.#options = options;
    this.#tablesPace = new LookPace(Math.min(tablesPollMs, options.heartbeatMs * 2));
    this.#publicationPace = new LookPace(Math.min(pollMs, options.heartbeatMs * 10));
    this.#done = this.#run();
  }

  /** How long ago the server answered this session last. */
  get silentMs(): number {
    return performance.now() - this.#answeredAtMs;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    // A query that hangs must not hold up the end; the driver then ends the socket, not the session politely.
    this.#client?.connection.stream.destroy();
    // One that is still connecting ends itself as soon as it has, or has given up: nobody needs to wait for that.
    if (this.#client !== null) await this.#done;
  }

  async #run(): Promise<void> {
    const { heartbeatMs, logger, route, onShutdown } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        this.#client ??= await this.#connect();
        if (!this.#stop.signal.aborted) await this.#beatInTime(this.#client);
      } catch (error) {
        // A query that was under way gets it instead of the session.
        if (isShutdown(error) && !this.#stop.signal.aborted) onShutdown(error);
        const client = this.#client;
        this.#client = null;
        await client?.end().catch(() => {});
        if (!this.#stop.signal.aborted) {
          const { code, message } = classifyPostgresError(error, route.from.name);
          logger.warn({ code, reason: message }, 'heartbeat failed');
        }
      }
      await pause(untilNextBeatMs(heartbeatMs), this.#stop.signal);
    }
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const { route, onShutdown } = this.#options;
    const client = await connectSide(route.from, route, 'heartbeat');
    try {
      await answeredInTime(client, route.from, () => client.query(`SET lock_timeout = ${lockMs}`));
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
    client.on('error', (error) => {
      if (isShutdown(error) && !this.#stop.signal.aborted) onShutdown(error);
    });
    return client;
  }

  async #beatInTime(client: pg.Client): Promise<void> {
    const timer = setTimeout(() => client.connection.stream.destroy(), answerMs);
    try {
      await this.#beat(client, () => {
        this.#answeredAtMs = performance.now();
        timer.refresh();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #beat(client: pg.Client, answered: () => void): Promise<void> {
    const { route, onSynchronous } = this.#options;
    // Before the heartbeat, whose position is to be stored at once then, and with it all that waits before it.
    onSynchronous(await isAwaited(client, route));
    answered();
    const sentMs = Date.now();
    const { rows } = await client.query({
      name: 'heartbeat',
      text: `SELECT pg_logical_emit_message(true, $1, jsonb_build_object('v', 1, 'id', $2::text,
        'sentAtMs', floor(extract(epoch FROM clock_timestamp()) * 1000)::int8, 'snapshot', pg_current_snapshot()::text)::text),
        (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now, pg_current_wal_insert_lsn()::text AS written`,
      values: [markerPrefixes.heartbeat, routeKey(route)],
    });
    answered();
    // Half-way between sending and answer, give or take the commit.
    this.#options.onClockOffset(Number(rows[0]?.now) - (sentMs + Date.now()) / 2);
    this.#options.onWritten(formatLsn(parseLsn(String(rows[0]?.written))));
    if (this.#options.isStill()) await this.#pollWalSender(client);
    if (performance.now() - this.#polledAtMs >= Math.min(pollMs, this.#options.heartbeatMs * 10)) {
      this.#polledAtMs = performance.now();
      await this.#pollSlot(client);
      answered();
    }
    await this.#tablesPace.look(() => unlessLocked(this.#options.tables.look(client)));
    answered();
    await this.#publicationPace.look(() => unlessLocked(this.#lookAtPublication(client)));
  }

  /** It may read for long before it has something to send. When it waits, it waits for new WAL, or for us. */
  async #pollWalSender(client: pg.Client): Promise<void> {
    const { rows } = await client.query(
      `SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND coalesce(wait_event, '') NOT LIKE 'WalSender%'`,
      [this.#options.walSenderPid],
    );
    if (rows.length > 0) this.#options.onWorking();
  }

  async #pollSlot(client: pg.Client): Promise<void> {
    const { route } = this.#options;
    const name = queueNames(route).slot;
    const slot = await readSlot(client, name);
    if (slot === null) this.#options.onLost(fail(sourceErrors.slotMissing, { route: route.name, slot: name }));
    else if (slot.lost !== null)
      this.#options.onLost(fail(sourceErrors.slotLost, { route: route.name, slot: name, why: slot.lost }));
    else if (slot.retainedBytes !== null) this.#options.onRetained(slot.retainedBytes, slot.room);
  }

  async #lookAtPublication(client: pg.Client): Promise<void> {
    const error = await lookAtPublication(client, this.#options);
    if (error !== null) this.#options.onLost(error);
  }
}

/** Who alters a table, for however long, has it locked: heartbeats go on meanwhile, and the next look will see what came of it. */
async function unlessLocked(look: Promise<void>): Promise<void> {
  try {
    await look;
  } catch (error) {
    if (sqlState(error) !== lockNotAvailable) throw error;
  }
}

function isShutdown(error: unknown): boolean {
  const state = sqlState(error) ?? (error instanceof Error ? sqlState(error.cause) : null);
  return state === adminShutdown || state === cannotConnectNow;
}
