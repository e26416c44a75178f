import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** What a route does with one table, or with those that a glob means, as configured. */
export interface DescribedTable {
  /** A table or a glob. */
  readonly name: string;
  /** The target as it is written; absent: the source's name. */
  readonly to?: string;
  readonly where?: string;
  /** Of these three the order counts for nothing, so that it is always the same. */
  readonly key?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly rename?: Readonly<Record<string, string>>;
  /** In their order. A secret is there as its print, a file with its digest. */
  readonly transforms?: readonly unknown[];
  readonly owns?: string;
}

/**
 * What a route is configured to do, without secrets and addresses: stored at its target when it was applied, and compared
 * with what is configured now. Part of the stored state: keys are added and never change their meaning.
 */
export interface RouteDescription {
  readonly version: 1;
  /** Names of the nodes. */
  readonly from: string;
  readonly to: string;
  /** Given ones; null: the route's own. */
  readonly slot: string | null;
  readonly publication: string | null;
  readonly tables: readonly DescribedTable[];
  readonly exclude: readonly string[];
  /** All that concerns only what comes later. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export function fingerprintOf(description: RouteDescription): string {
  return createHash('sha256').update(canonicalJson(description)).digest('hex').slice(0, 32);
}
