/** Where another route carries rows from this route's target to its source. */
export interface OtherWay {
  readonly route: string;
  /**
   * Resolves once everything that was committed at this route's target before the call is at its source. Throws (otherWayRests) where
   * it does not come.
   */
  arrived(signal: AbortSignal): Promise<void>;
}
