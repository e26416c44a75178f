/** Since when something is a matter of concern; `told` is what the engine that has the route says of it. */
export type SeenSince = (code: string, told?: string) => string;

/**
 * Since when what only whoever looks can see has been so: at each look without a break. Nobody stores it, so that it
 * begins with the first look of this process.
 */
export class ConcernTimes {
  readonly #seen = new Map<string, ReadonlyMap<string, string>>();

  /** One look at a route. What is not asked for in it is over. */
  look(route: string): SeenSince {
    const before = this.#seen.get(route);
    const seen = new Map<string, string>();
    this.#seen.set(route, seen);
    return (code, told) => {
      const since = told ?? before?.get(code) ?? new Date().toISOString();
      seen.set(code, since);
      return since;
    };
  }
}
