/**
 * The documents of the API that the page shows, as far as it reads them. Values that it does not know (a state, a
 * health, a result) are shown as they are.
 */

export type Role = 'viewer' | 'operator' | 'admin';

export interface NodeDocument {
  readonly name: string;
  readonly type: string;
  readonly hosts: readonly string[];
  readonly database: string;
}

export interface ServiceDocument {
  readonly name: string;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: string;
  /** leading, standby, ... */
  readonly state: string;
  readonly nodes: readonly NodeDocument[];
  readonly routes: readonly string[];
  /** Of the token that asks. */
  readonly role: Role;
}

/** `bytes` and what is below it are of a load beside the stream. */
export interface LoadDocument {
  readonly tablesDone: number;
  readonly tables: number;
  readonly rows: number;
  readonly bytes?: number | undefined;
  readonly rowsPerSecond?: number | null | undefined;
  readonly leftMs?: number | null | undefined;
  /** Why nothing is read now. */
  readonly waits?: 'lag' | 'rate' | 'share' | undefined;
  /** The tables that are not done. */
  readonly loading?: readonly LoadedTable[] | undefined;
}

export interface LoadedTable {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  /** What the source thinks that there is, without counting. */
  readonly expectedRows: number;
  readonly rowsPerSecond: number | null;
  readonly leftMs: number | null;
  /** Rows that it replaces go first. */
  readonly emptying?: boolean | undefined;
  /** Nobody goes on with it: its job was paused or cancelled, or has failed. */
  readonly rests?: boolean | undefined;
  /** What was loaded of it goes, and nothing of it is read or applied until then. */
  readonly unfollowed?: boolean | undefined;
}

export interface ReasonDocument {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly transaction?: { readonly id: string; readonly position: string | null } | undefined;
}

export interface RouteDocument {
  readonly name: string;
  readonly state: string;
  readonly desiredState: string;
  readonly reason: ReasonDocument | null;
  readonly health: string;
  readonly source: { readonly node: string; readonly position: string | null };
  readonly target: { readonly node: string; readonly position: string | null };
  readonly lagMs: number | null;
  readonly transactions: number;
  readonly rows: number;
  readonly collisions: number;
  readonly parked: number;
  readonly parkedSince: string | null;
  /** Rows that loads have copied; `rows` are those of the stream. */
  readonly loadedRows?: number | undefined;
  readonly load: LoadDocument | null;
  readonly restarts: number;
  readonly ignored: readonly string[];
  /** Who has asked for the state that is wanted, and why. */
  readonly askedBy?: string | null | undefined;
  readonly askedReason?: string | null | undefined;
  /** A pause that ends by itself, by the target's clock. */
  readonly pausedUntil?: string | null | undefined;
  /** The engine that has the route now. */
  readonly engine?: { readonly host: string; readonly pid: number } | null | undefined;
  /** Since when state and health are what they are. */
  readonly since?: string | null | undefined;
  readonly healthSince?: string | null | undefined;
  /** Why the health is not ok beside the state, worst first. */
  readonly concerns?: readonly ConcernDocument[] | undefined;
  /** Why the worker before this one ended. */
  readonly restarted?:
    | { readonly at: string; readonly reason: ReasonDocument; readonly recent?: number | undefined }
    | null
    | undefined;
  /** What the last compare of each table has found. */
  readonly compared?: ComparedDocument | null | undefined;
}

export interface ComparedDocument {
  readonly at: string;
  readonly tables: number;
  readonly rows: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  readonly undecided: number;
  readonly unverified: number;
}

export interface ConcernDocument extends ReasonDocument {
  readonly level: string;
  readonly since: string;
}

export interface StatusDocument {
  readonly version: number;
  readonly routes: readonly RouteDocument[];
}

/** What the route was at one moment; transactions and rows are totals since the service was started. */
export interface SampleDocument {
  readonly at: string;
  readonly lagMs: number | null;
  readonly rows: number;
  readonly transactions: number;
  readonly retainedBytes: number | null;
}

export interface TableCounts {
  readonly table: string;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly truncates: number;
  readonly loaded: number;
  /** All of them but truncates. */
  readonly rows: number;
}

export interface MetricsDocument {
  readonly at: string;
  readonly retainedBytes: number | null;
  readonly perTable: readonly TableCounts[];
  readonly history: readonly SampleDocument[];
}

export interface JournalDocument {
  readonly journal: readonly JournalEntry[];
  /** To ask for what was done before these; null where there is nothing more. */
  readonly before: string | null;
  /** Targets that could not be asked. */
  readonly missing: readonly { readonly node: string; readonly reason: ReasonDocument }[];
}

export interface TableStep {
  readonly action: string;
  readonly source: string;
  readonly target: string;
  readonly before?: string | undefined;
  readonly loads?: boolean | undefined;
  /** Target tables whose rows go. */
  readonly replaced?: readonly string[] | undefined;
  /** What is mapped otherwise: where, key, columns, transforms. */
  readonly changed?: readonly string[] | undefined;
}

export interface PlannedRoute {
  readonly name: string;
  readonly state: string;
  readonly tables: readonly TableStep[];
  readonly settings: readonly { readonly name: string; readonly text: string }[];
  readonly refused: readonly string[];
  /** Somebody has agreed to it already, and no engine has carried it out yet. */
  readonly pending: boolean;
  readonly needsConsent: boolean;
  /** `more`: there are more than were counted. */
  readonly replacedRows: readonly { readonly table: string; readonly rows: number; readonly more?: boolean }[];
  readonly problems: readonly FindingDocument[];
  readonly target: PlaceDocument;
}

export interface PlanDocument {
  readonly fingerprint: string;
  readonly changes: boolean;
  readonly routes: readonly PlannedRoute[];
}

export interface AppliedDocument {
  readonly routes: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly reason: ReasonDocument | null;
  }[];
}

export interface AdoptedDocument {
  readonly position: string;
  readonly before: string | null;
}

export interface RenamedDocument {
  readonly name: string;
  readonly configured: boolean;
}

export interface PlaceDocument {
  readonly node: string;
  readonly hosts: readonly string[];
  readonly database: string;
}

export interface DroppedDocument {
  readonly source: PlaceDocument;
  readonly target: PlaceDocument;
  readonly queue: {
    readonly name: string;
    readonly parts: readonly string[];
    readonly given: boolean;
    readonly state: string;
    readonly retainedBytes: number | null;
  };
  readonly tables: number;
  readonly targetTables: readonly string[];
  readonly parked: number;
  readonly left: readonly string[];
}

/** Of what bears the deployment's name and no route of its configuration has. */
export interface LeftoversDocument {
  readonly leftovers: readonly {
    readonly name: string;
    readonly node: string;
    readonly hosts: readonly string[];
    readonly database: string;
    readonly parts: readonly string[];
    readonly retainedBytes: number;
    readonly usedBy: string | null;
    readonly dropped: boolean;
    readonly statements: readonly string[];
    readonly waitsFor?: readonly string[] | undefined;
  }[];
  readonly failed?:
    | readonly {
        readonly node: string | null;
        readonly route: string | null;
        readonly error: { readonly code: string; readonly message: string };
      }[]
    | undefined;
  readonly journalled?: boolean | undefined;
}

export interface TableDocument {
  readonly source: string;
  readonly target: string;
  readonly loadedTo?: string | null | undefined;
  readonly ignored?: readonly string[] | undefined;
}

export interface PositionDocument {
  readonly phase: string | null;
  readonly checkpoint: string | null;
  readonly source: string | null;
  readonly queue: {
    readonly state: string;
    readonly position: string | null;
    readonly retainedBytes: number | null;
  };
}

export interface JournalEntry {
  readonly id: number | string;
  readonly at: string;
  readonly route: string;
  readonly action: string;
  readonly by: string;
  readonly via: string;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly result: string;
  readonly code: string | null;
  readonly message: string | null;
}

export interface ParkedDocument {
  readonly id: number;
  readonly transaction: string;
  readonly position: string;
  readonly committedAt: string;
  readonly parkedAt: string;
  readonly cause: string;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly reason: string | null;
  readonly askedBy: string | null;
  readonly behind: number | null;
  readonly rows: number;
  readonly bytes: number;
  readonly tables: readonly {
    readonly table: string;
    readonly inserts: number;
    readonly updates: number;
    readonly deletes: number;
    readonly truncates: number;
  }[];
  readonly attempts: number;
}

export type ShownCell =
  | string
  | null
  | { readonly unchanged: true }
  | { readonly absent: true }
  | { readonly base64: string };

export interface ShownChange {
  readonly change: string;
  readonly tables: readonly string[];
  readonly keys: readonly string[];
  readonly before?: Readonly<Record<string, ShownCell>> | undefined;
  readonly after?: Readonly<Record<string, ShownCell>> | undefined;
}

export interface ParkedDetailDocument extends ParkedDocument {
  readonly keys: readonly { readonly resource: string; readonly exclusive: boolean; readonly digest: string | null }[];
  readonly changes: readonly ShownChange[];
}

export interface SharedCheckDocument {
  readonly nodes: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly findings: readonly FindingDocument[];
    readonly place: PlaceDocument;
  }[];
  readonly service: { readonly ok: boolean; readonly findings: readonly FindingDocument[] };
}

export interface SchemaDocument {
  readonly route: string;
  /** What the target lacks, in the order in which it is made. */
  readonly statements: readonly { readonly half: string; readonly what: string; readonly text: string }[];
  readonly findings: readonly FindingDocument[];
  readonly left: readonly {
    readonly kind: string;
    readonly name: string;
    readonly isNeeded: boolean;
    readonly why?: string | undefined;
  }[];
}

export interface FindingDocument {
  readonly level: string;
  readonly code: string;
  /** Left out where it is the service's. */
  readonly node?: string | undefined;
  readonly table?: string | undefined;
  readonly message: string;
  readonly remedy: string;
  readonly statement?: string | undefined;
}

export interface JobDocument {
  /** route/number */
  readonly id: string;
  readonly route: string;
  readonly kind: string;
  readonly state: string;
  /** What was asked for last: run, pause, cancel. */
  readonly wish: string;
  readonly tables: readonly string[];
  readonly askedBy: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly done: number | null;
  readonly total: number | null;
  /** By its kind, and read here as far as it is there. */
  readonly progress: JobTables | null;
  readonly reason: ReasonDocument | null;
}

/** What came of one, by its kind, too. */
export interface JobDetailDocument extends JobDocument {
  readonly result: JobTables | null;
}

export interface JobTables {
  readonly tables?: readonly JobTable[] | undefined;
}

/** One table of a load, a compare or a repair. */
export interface JobTable {
  readonly name?: string;
  readonly table?: string;
  readonly target?: string;
  readonly rows: number;
  readonly missing?: number;
  readonly extra?: number;
  readonly different?: number;
  readonly undecided?: number;
  readonly unverified?: string | null;
  readonly state?: string;
  readonly repaired?: number;
  readonly left?: number;
  readonly refused?: Readonly<Record<string, number>>;
  readonly examples?: readonly {
    readonly kind: string;
    readonly digest: string;
    readonly columns: readonly string[];
  }[];
}
