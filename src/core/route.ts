import { TidelockError } from './errors/tidelock-error.ts';
import type { Expression } from './expression.ts';
import type { Existing } from './load.ts';
import type { OwnedShare } from './owned-share.ts';
import type { RouteDescription } from './route-description.ts';
import type { MappedTable } from './table-mapping.ts';
import type { TablePattern } from './table-pattern.ts';
import type { Conversions } from './types/conversions.ts';

export type NodeType = 'postgres' | 'mysql' | 'mariadb' | 'mssql' | 'kafka';
export type TlsMode = 'verifyFull' | 'verifyCa' | 'encrypt' | 'off';

/** How to reach a server, with every reference resolved. Holds secrets: never logged, stored or printed. */
export interface ConnectionSettings {
  /** Tried in order. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly tls: {
    readonly mode: TlsMode;
    /** PEM texts, not paths. */
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  };
}

export interface NodeDefinition {
  readonly name: string;
  readonly type: NodeType;
  /** What the user chose to allow by name. */
  readonly allow: readonly string[];
  /** Resolves references again at each connect, so that rotated credentials are taken up. */
  connection(): ConnectionSettings;
}

export type CollisionResolution = 'halt' | 'source';

export interface ApplySettings {
  readonly groupRows: number;
  readonly groupTimeMs: number;
  /** Sessions at the target that apply beside each other. */
  readonly lanes: number;
  readonly onError: 'halt' | 'park';
  readonly maxRowBytes: number;
  readonly memoryBytes: number;
}

/** How fast tables are read that are loaded beside the stream; null: as fast as it goes. */
export interface LoadLimits {
  readonly rowsPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  /** The share of the time in which the source is read, above 0. */
  readonly maxLoad: number | null;
  /** While changes are later than this at the target nothing is read. */
  readonly lagMs: number | null;
}

export interface RetentionLimits {
  readonly warnBytes: number;
  readonly criticalBytes: number;
}

export interface LagLimits {
  readonly warnMs: number;
  readonly criticalMs: number;
}

/** A one-way route, complete and checked, as the engine runs it. */
export interface RouteDefinition {
  readonly deployment: string;
  readonly name: string;
  readonly from: NodeDefinition;
  readonly to: NodeDefinition;
  readonly tables: TableSelection;
  readonly load: {
    readonly mode: 'initial' | 'none';
    readonly existing: Existing;
    /** Tables that hold no more together are copied in one piece before the route streams; of more, those with a key are loaded beside the stream. */
    readonly wholeUpToBytes: number;
    readonly limits: LoadLimits;
  };
  readonly forward: 'own' | 'all';
  /** When a table appears that a glob of the route means. */
  readonly newTables: 'halt' | 'ignore' | 'load';
  /** How often the values of sequences are carried over; null: only on request. */
  readonly sequencesEveryMs: number | null;
  /** Beside the sequences of the tables' columns those that `include` names; without those that `exclude` does. */
  readonly sequences: { readonly include: readonly TablePattern[]; readonly exclude: readonly TablePattern[] };
  readonly schemaChanges: 'halt' | 'ignore' | 'evolve';
  /** A compare of the whole route begins so long after the one before began; null: only on request. `maxLoad`: share of the time. */
  readonly compare: { readonly everyMs: number | null; readonly maxLoad: number };
  /** Whether DDL commands of the source are carried out at the target. */
  readonly ddl: 'ignore' | 'replicate';
  readonly collisions: CollisionRules;
  /** What the route names to have changed of values that another vendor's database can't hold as they are. */
  readonly convert: Conversions;
  readonly apply: ApplySettings;
  readonly limits: {
    readonly lag: LagLimits;
    readonly retained: RetentionLimits;
    /** Resident memory of the worker; null: as apply.memoryBytes and the rows ask for. */
    readonly memoryBytes: number | null;
  };
  readonly journal: JournalLimits;
  readonly allow: readonly string[];
  /** A queue that somebody else made and keeps. */
  readonly given: { readonly slot?: string; readonly publication?: string };
  /** What it is configured to do, without secrets: what is stored of it, and compared. */
  describe(): RouteDescription;
}

/** What is older, or more than so many, goes. */
export interface JournalLimits {
  readonly keepMs: number;
  readonly entries: number;
}

/** Which source tables belong to the route, and what becomes of each. Made by the configuration from its globs. */
export interface TableSelection {
  /** Null where the table is not part of the route. Throws a TidelockError where two globs of equal rank match. */
  select(schema: string, name: string): MappedTable | null;
  /** Tables named without a glob: they must exist. */
  readonly exact: readonly { readonly schema: string; readonly name: string }[];
  /** Globs as they are written, and what each means. */
  readonly globs: readonly { readonly text: string; matches(schema: string, name: string): boolean }[];
  /** The same as regular expressions over schema and table, for whoever has to decide elsewhere: a name beats `excluded`, which beats a glob. */
  readonly patterns: TablePatterns;
  /** True where a table of this schema could be carried under its own name. */
  meansSchema(schema: string): boolean;
  /** Loads what transforms need of files. Before tables are bound, at each start. */
  prepare(): Promise<void>;
  /** A condition in the language of `where`. Throws (usage) where it is none. */
  condition(text: string): Promise<Expression>;
  /** A part of a source table by its key, in the language of `owns`. Throws (usage) where it is none. */
  part(text: string): Promise<OwnedShare>;
  /** Whether two conditions are the same but for how they are written; what is none is only the same as its own text. */
  sameExpression(a: string, b: string): boolean;
}

export interface TablePatterns {
  readonly globs: readonly TableExpression[];
  readonly excluded: readonly TableExpression[];
}

/** Sources of regular expressions, anchored; `.` means any character. */
export interface TableExpression {
  readonly schema: string;
  readonly name: string;
}

export interface CollisionRules {
  forTable(schema: string, name: string): CollisionResolution;
  /** A row of the target whose values are not the source's old ones is a collision, too. */
  checksOldValues(schema: string, name: string): boolean;
}

/** deployment/route: the route's key in stored state, markers, metrics and application names. */
export function routeKey(route: { readonly deployment: string; readonly name: string }): string {
  return `${route.deployment}/${route.name}`;
}

/** Name of the slot and publication that the route owns: deployment__route with underscores for hyphens. */
export function queueName(route: { readonly deployment: string; readonly name: string }): string {
  return `${route.deployment}__${route.name}`.replaceAll('-', '_');
}

/** The route that carries rows from the target of `route` to its source. One that can't be resolved now is none. */
export function routeBack(
  routes: ReadonlyMap<string, RouteDefinition>,
  { name, from, to }: RouteDefinition,
): RouteDefinition | null {
  for (const other of routes.keys()) {
    if (other === name) continue;
    const definition = resolved(routes, other);
    if (definition?.from.name === to.name && definition.to.name === from.name) return definition;
  }
  return null;
}

/** What only another route needs, and is not set, is no matter. */
function resolved(routes: ReadonlyMap<string, RouteDefinition>, name: string): RouteDefinition | undefined {
  try {
    return routes.get(name);
  } catch (error) {
    if (error instanceof TidelockError) return undefined;
    throw error;
  }
}
