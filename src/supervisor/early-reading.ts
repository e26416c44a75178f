import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { sourceErrors } from '../core/errors/catalogue/source.ts';
import { targetErrors } from '../core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { Position, PositionOrder } from '../core/position.ts';
import type { RouteDefinition } from '../core/route.ts';

/** What would not be met again: what is committed, and what was only seen at that moment. */
const metOnce: ReadonlySet<string> = new Set(
  [
    targetErrors.committedOff,
    nodeErrors.defect,
    sourceErrors.publicationMissing,
    sourceErrors.publicationIncomplete,
  ].map(({ code }) => code),
);

export interface EarlyReadingOptions {
  readonly route: Pick<RouteDefinition, 'name' | 'schemaChanges' | 'ddl' | 'apply'>;
  readonly order: PositionOrder;
  /** Kept over the sessions of a worker. */
  readonly meter: { readWholeTo: Position | null; readonly readsWhole: boolean };
  readonly acceptsSchemaChanges: boolean;
}

/** Of one session: whether transactions may be read before they have ended, and what becomes of its errors where some were. */
export class SessionReadsEarly {
  readonly #options: EarlyReadingOptions;
  /** Transactions that were given out early have ended before; null where none was, or all up to there is applied. */
  #to: Position | null = null;

  constructor(options: EarlyReadingOptions) {
    this.#options = options;
  }

  /**
   * Whatever goes by where a transaction has ended does without: a definition that a person has accepted up to a place, a command, a
   * transaction that is set aside.
   */
  mayFrom(checkpoint: Position): boolean {
    const { route, order, meter, acceptsSchemaChanges } = this.#options;
    const isPlain = route.schemaChanges === 'halt' && route.ddl === 'ignore' && route.apply.onError === 'halt';
    if (!isPlain || acceptsSchemaChanges || meter.readsWhole) return false;
    return meter.readWholeTo === null || order.covers(checkpoint, meter.readWholeTo);
  }

  given(end: Position): void {
    this.#to = end;
  }

  applied(position: Position): void {
    if (this.#to !== null && this.#options.order.covers(position, this.#to)) this.#to = null;
  }

  /**
   * What the session is to end with instead. While such transactions are under way the next one has all of them sent whole, whatever this one has
   * ended of, and what is to halt is met once more.
   */
  ended(error: unknown): unknown {
    const { route, meter } = this.#options;
    if (this.#to === null || !(error instanceof TidelockError) || error.recovery === 'fenced') return error;
    if (metOnce.has(error.code)) return error;
    meter.readWholeTo = this.#to;
    if (error.recovery === 'retry') return error;
    return fail(sourceErrors.readWhole, { route: route.name, why: error.message }, error);
  }
}
