/** What a compare is asked for. */
export interface CompareOptions {
  /** Source tables as the route names them, `*` for any text; empty: all of the route. */
  readonly tables: readonly string[];
  /** Only rows for which it is true at the side where they are; columns by the source's names. */
  readonly where: string | null;
  /** Of all chunks only this share, above 0 and up to 1. */
  readonly sample: number | null;
  /** Of the time it may use the databases for this share, above 0 and up to 1. */
  readonly maxLoad: number | null;
  /** Examples come with their values, not with digests only. */
  readonly showValues: boolean;
  /** Begun by the route itself, again and again. */
  readonly background: boolean;
}

export const compareDefaults: CompareOptions = {
  tables: [],
  where: null,
  sample: null,
  maxLoad: null,
  showValues: false,
  background: false,
};

/** As a job has stored it; what an older command has left out is as it was then. */
export function compareOptions(stored: Readonly<Record<string, unknown>>): CompareOptions {
  return { ...compareDefaults, ...(stored as Partial<CompareOptions>) };
}
