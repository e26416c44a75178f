import type { Notification } from '../config/configuration.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import { runCommand } from './command.ts';
import type { Delivery } from './delivery.ts';
import type { Notice } from './notice.ts';
import { postWebhook } from './webhook.ts';

/** More can't be waiting for a receiver: the oldest is dropped then. */
const waitingLimit = 100;

/** Together about eight minutes: a receiver may be restarted meanwhile. */
const retryDelaysMs = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000];

/** What is on its way when the service ends. */
const closeMs = 3_000;

export interface DeliveriesOptions {
  /** Asked before each attempt, so that rotated secrets are taken up. May throw. */
  receivers(): readonly Notification[];
  readonly logger: Logger;
  onResult?(kind: Notification['kind'], result: 'delivered' | 'failed' | 'dropped'): void;
  readonly retryDelaysMs?: readonly number[];
}

interface Waiting {
  readonly notice: Notice;
  done(): void;
}

/** Tells every receiver each notice, in order, again where that fails. One that is out of reach holds up nobody else. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #delaysMs: readonly number[];
  readonly #stop = new AbortController();
  readonly #queues: Waiting[][] = [];
  readonly #working = new Map<number, Promise<void>>();
  #receivers: readonly Notification[];

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    this.#delaysMs = options.retryDelaysMs ?? retryDelaysMs;
    this.#receivers = options.receivers();
  }

  /** Resolves when all receivers have it, or were given up. */
  async tell(notice: Notice): Promise<void> {
    this.#refresh();
    await Promise.all(
      this.#receivers.map((_, index) => new Promise<void>((done) => this.#wait(index, { notice, done }))),
    );
  }

  /** Soon: what was not told is told by whoever comes next. */
  async close(): Promise<void> {
    const over = new AbortController();
    await Promise.race([Promise.all(this.#working.values()), pause(closeMs, over.signal)]);
    over.abort();
    this.#stop.abort();
    await Promise.all(this.#working.values());
  }

  #wait(index: number, waiting: Waiting): void {
    const queue = this.#queues[index] ?? [];
    this.#queues[index] = queue;
    queue.push(waiting);
    if (queue.length > waitingLimit) this.#drop(index, queue.splice(this.#working.has(index) ? 1 : 0, 1)[0]);
    if (this.#working.has(index)) return;
    this.#working.set(
      index,
      this.#work(index, queue).finally(() => this.#working.delete(index)),
    );
  }

  #drop(index: number, waiting: Waiting | undefined): void {
    const receiver = this.#receivers[index];
    if (waiting === undefined || receiver === undefined) return;
    this.#options.logger.error(
      { receiver: index + 1, kind: receiver.kind, ...placeOf(waiting.notice) },
      'notification dropped',
    );
    this.#options.onResult?.(receiver.kind, 'dropped');
    waiting.done();
  }

  /** What is being told stays at the head of the queue until it is. */
  async #work(index: number, queue: Waiting[]): Promise<void> {
    for (let next = queue[0]; next !== undefined && !this.#stop.signal.aborted; next = queue[0]) {
      await this.#deliver(index, next.notice);
      queue.shift();
      if (!this.#stop.signal.aborted) next.done();
    }
  }

  async #deliver(index: number, notice: Notice): Promise<void> {
    const { logger, onResult } = this.#options;
    const { signal } = this.#stop;
    for (let attempt = 0; !signal.aborted; attempt++) {
      this.#refresh();
      const receiver = this.#receivers[index];
      if (receiver === undefined) return;
      const place = { receiver: index + 1, kind: receiver.kind, ...placeOf(notice) };
      const delivery = await this.#attempt(receiver, notice);
      if (signal.aborted) return;
      if (delivery.ok) {
        logger.info(place, 'notification delivered');
        onResult?.(receiver.kind, 'delivered');
        return;
      }
      const delayMs = this.#delaysMs[attempt];
      if (!delivery.again || delayMs === undefined) {
        logger.error({ ...place, why: delivery.why, attempts: attempt + 1 }, 'notification could not be delivered');
        onResult?.(receiver.kind, 'failed');
        return;
      }
      logger.warn({ ...place, why: delivery.why, delayMs }, 'notification not delivered yet, trying again');
      await pause(delayMs, signal);
    }
  }

  #attempt(receiver: Notification, notice: Notice): Promise<Delivery> {
    const { signal } = this.#stop;
    if (receiver.kind === 'webhook') return postWebhook(receiver.url, notice, signal);
    return runCommand(receiver.command, notice, signal);
  }

  /** Where a reference can't be resolved now, what it was before has to do. */
  #refresh(): void {
    try {
      this.#receivers = this.#options.receivers();
    } catch {
      this.#options.logger.warn({}, 'notify can not be resolved, its former values are used');
    }
  }
}

function placeOf({ id, event, about, severity, route }: Notice): object {
  return { notice: id, event, about, severity, route };
}
