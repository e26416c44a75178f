/** What the last compares and repairs of whole tables have found, each table by its last one. */
export interface Compared {
  /** When the last of them ended, target clock, ISO 8601. */
  readonly at: string;
  /** When that of the table ended that was compared longest ago. */
  readonly oldest: string;
  /** route/number of the last compare that has found a difference which is still there; null where none is. */
  readonly job: string | null;
  readonly tables: number;
  readonly rows: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  readonly undecided: number;
  /** Tables that could not be compared. */
  readonly unverified: number;
}
