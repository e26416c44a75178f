/** What is deleted at once is to take about so long: changes of the stream wait for it. */
const stepMs = 120;

/** How much larger or smaller than the last step, which began then, the next one is to be. */
export function nextStep(beganMs: number): number {
  return Math.min(2, Math.max(0.25, stepMs / Math.max(1, performance.now() - beganMs)));
}

/** How far the rows that loads replace have gone, by source table, as of what is committed. Nothing of it outlives the session. */
export abstract class EmptyingPlaces<P> {
  readonly #start: P;
  readonly #places = new Map<string, P>();
  #next: { readonly source: string; readonly place: P } | null = null;

  constructor(start: P) {
    this.#start = start;
  }

  protected placeOf(source: string): P {
    return this.#places.get(source) ?? this.#start;
  }

  /** As of the open target transaction. */
  protected reached(source: string, place: P): void {
    this.#next = { source, place };
  }

  /** What was deleted last is about to be committed; where it is not, the session ends. */
  sent(): void {
    if (this.#next !== null) this.#places.set(this.#next.source, this.#next.place);
    this.#next = null;
  }

  /** Another load of the table begins. */
  forget(source: string): void {
    this.#places.delete(source);
  }
}
