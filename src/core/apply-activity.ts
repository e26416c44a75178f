/** A session that others wait for. */
export interface Holder {
  readonly session: number;
  readonly user: string | null;
  /** As the session names itself; may be empty. */
  readonly application: string;
  /** How long its transaction has been open. */
  readonly openMs: number | null;
}

/**
 * What the target's server does for a route that has sent it a statement. `working`: it computes, reads or writes, so
 * that the route moves on, however long the statement takes. `waiting`: somebody else has to do something first.
 * `idle`: it has nothing to do, or waits for the route.
 */
export type ApplyActivity =
  | { readonly doing: 'working' }
  | { readonly doing: 'idle' }
  | { readonly doing: 'waiting'; readonly what: string; readonly holders: readonly Holder[] };
