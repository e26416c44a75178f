import type { Finding } from './finding.ts';
import type { RouteDefinition } from './route.ts';
import type { TableName, TableVersion } from './table.ts';

/** What one node is to the routes of a configuration. */
export interface NodeUse {
  readonly sources: readonly RouteDefinition[];
  readonly targets: readonly RouteDefinition[];
}

export interface GrantUse {
  readonly sources: readonly RouteDefinition[];
  readonly targets: readonly RouteTarget[];
}

export interface RouteTarget {
  readonly route: RouteDefinition;
  /** As they are at the target: mapped. */
  readonly tables: readonly TableVersion[];
}

/** One statement of what a node's user needs. */
export interface Grant {
  readonly statement: string;
  /** What for, in a few words. */
  readonly why: string;
  /** `recommended`: the routes run without it, and something is slower or refused later. */
  readonly need: 'required' | 'recommended';
  /** The user has it already. */
  readonly held: boolean;
  /** The user would get a superuser's rights with it, which no route needs: somebody has to decide. */
  readonly superuser?: true;
}

export interface NodeGrants {
  readonly grants: readonly Grant[];
  /** Tables of routes that write here and that are not there yet: who will own them is not known, only what else they need. */
  readonly missing: readonly string[];
}

export interface SurveyedTable extends TableName {
  /** With its indexes. */
  readonly bytes: number;
  /** As the server guesses it. */
  readonly rows: number;
  /** What tells its rows apart in the change queue: a key, the whole row, or nothing, so that no row of it can be changed. */
  readonly identity: 'key' | 'full' | 'nothing';
  /** Columns of a unique index that could be its identity; null where there is none, or none is needed. */
  readonly proposedKey: { readonly index: string; readonly columns: readonly string[] } | null;
}

/** What a node is and holds, for a person who is about to make routes of it. */
export interface NodeSurvey {
  /** Product and version, such as `PostgreSQL 18.1`. */
  readonly server: string;
  readonly user: string;
  readonly database: string;
  readonly encrypted: boolean;
  readonly superuser: boolean;
  /** Tables whose changes can be carried, in the order of their names. Partitions are part of their whole. */
  readonly tables: readonly SurveyedTable[];
  /** What a glob over tables would match and no route carries. */
  readonly notCarried: readonly (TableName & { readonly kind: string })[];
}

/** The server's clock against this host's. */
export interface ClockOffset {
  /** Positive where the server's is ahead. */
  readonly offsetMs: number;
  /** Half of what the question took: how wrong the offset may be. */
  readonly errorMs: number;
}

export interface NodeReport {
  readonly findings: readonly Finding[];
  readonly clock: ClockOffset;
}

/** What bears the name of one route of a deployment here. */
export interface LeftRoute {
  readonly name: string;
  readonly parts: readonly ('slot' | 'publication' | 'capture' | 'state')[];
  /** What the node keeps for it. */
  readonly retainedBytes: number;
  /** Who is at work with it; null where nobody is. */
  readonly usedBy: string | null;
}

export interface LeftBehind extends Pick<LeftRoute, 'parts'> {
  /** Repeatable, and no error where it is not there. */
  readonly statements: readonly string[];
}

/** One node by itself, whatever routes there are. Reads only; each call has a connection of its own. */
export interface NodeInspector {
  /** Of the whole deployment, whether configured or not. */
  routesLeft(deployment: string): Promise<readonly LeftRoute[]>;
  /** What a route has here as its source or its target, and the statements that remove it. Asks nothing of the node, which may be gone. */
  left(route: RouteDefinition, side: 'source' | 'target'): LeftBehind;
  survey(): Promise<NodeSurvey>;
  /** What concerns the server and all routes together; what concerns one route is told by its preflight. */
  check(use: NodeUse): Promise<NodeReport>;
  /** The least that `user` needs for this use, whether it has it already or not, in the order in which it is run. */
  grants(use: GrantUse, user: string): Promise<NodeGrants>;
}
