/** What a repair is asked for. */
export interface RepairOptions {
  /** Source tables as the route names them, `*` for any text; empty: all of the route. */
  readonly tables: readonly string[];
  /** Only rows for which it is true; columns by the source's names. */
  readonly where: string | null;
  /** Tells what would be done. */
  readonly dryRun: boolean;
  /** The number of the repair that is to be taken back; null: none. */
  readonly undo: number | null;
  /** Of the time it may use the databases for this share, above 0 and up to 1. */
  readonly maxLoad: number | null;
  readonly showValues: boolean;
  /** The route that carries rows back, as whoever asked has found it in the configuration; null: none. */
  readonly otherWay: string | null;
}

export const repairDefaults: RepairOptions = {
  tables: [],
  where: null,
  dryRun: false,
  undo: null,
  maxLoad: null,
  showValues: false,
  otherWay: null,
};

/** As a job has stored it. */
export function repairOptions(stored: Readonly<Record<string, unknown>>): RepairOptions {
  return { ...repairDefaults, ...(stored as Partial<RepairOptions>) };
}
