import type { Control } from '../control/control.ts';
import type { JournalledAction } from '../core/action.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import { errorBody } from './answer-error.ts';
import type { LiveService } from './live-service.ts';

const everyMs = 2_000;

/** A worker that tells several states one after the other causes one look. */
const soonMs = 100;

const journalPage = 100;

export interface EventFeedOptions {
  readonly control: Control;
  readonly live: LiveService;
  readonly logger: Logger;
}

export type EventListener = (event: 'status' | 'journal' | 'problem', document: object) => void;

/**
 * Looks at the deployment for as long as somebody listens, once for all of them: every two seconds, and soon after a
 * worker has reported something.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #listeners = new Set<EventListener>();
  #status: object | null = null;
  #looking: AbortController | null = null;
  /** Of the newest entry that was told, and those of the same instant. */
  #told: { readonly at: string; readonly ids: ReadonlySet<string> } | null = null;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  /** Returns a function that takes the listener off again. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    // Who comes later does not wait for the next look.
    if (this.#status !== null) listener('status', this.#status);
    if (this.#looking === null) void this.#look();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#looking?.abort();
    };
  }

  async #look(): Promise<void> {
    const over = new AbortController();
    this.#looking = over;
    this.#told = null;
    let wake = new AbortController();
    const unlisten = this.#options.live.onStatus(() => wake.abort());
    while (!over.signal.aborted) {
      wake = new AbortController();
      await this.#tellStatus();
      await this.#tellJournal();
      await pause(everyMs, AbortSignal.any([over.signal, wake.signal]));
      if (wake.signal.aborted) await pause(soonMs, over.signal);
    }
    unlisten();
    this.#status = null;
    this.#looking = null;
    // Somebody has come while the last look was under way.
    if (this.#listeners.size > 0) void this.#look();
  }

  async #tellStatus(): Promise<void> {
    try {
      this.#status = await this.#options.control.status();
      this.#tell('status', this.#status);
    } catch (error) {
      this.#status = null;
      if (error instanceof TidelockError) this.#tell('problem', errorBody(error));
      else this.#options.logger.error({ err: error }, 'status could not be read');
    }
  }

  /** What came since the last look; what a target that can't be asked would have told is told when it can be. */
  async #tellJournal(): Promise<void> {
    try {
      const { journal } = await this.#options.control.journal({ before: null, limit: journalPage });
      const told = this.#told;
      const fresh = told === null ? [] : journal.filter((entry) => entry.at >= told.at && !told.ids.has(idOf(entry)));
      for (const entry of fresh.toReversed()) this.#tell('journal', entry);
      const at = [told?.at ?? '', ...journal.map((entry) => entry.at)].sort().at(-1) ?? '';
      const ids = journal.filter((entry) => entry.at === at).map(idOf);
      this.#told = { at, ids: new Set([...(told?.at === at ? told.ids : []), ...ids]) };
    } catch (error) {
      if (!(error instanceof TidelockError)) this.#options.logger.error({ err: error }, 'journal could not be read');
    }
  }

  #tell(...event: Parameters<EventListener>): void {
    for (const listener of this.#listeners) listener(...event);
  }
}

function idOf({ id, route, at }: JournalledAction): string {
  return `${at} ${route} ${id}`;
}
