import { tableLabel } from '../../../src/core/table.ts';
import type { TargetTable } from './target-table.ts';

/** How long a definition is used before the target is looked at again: somebody may have altered it. */
export const trustMs = 30_000;

/**
 * Definitions that another session of the route has read a moment ago, which is its preflight: the one that applies need not read
 * them once more. To plan that query takes the server as long as a few thousand rows.
 */
export class KnownTables {
  readonly #tables: ReadonlyMap<string, TargetTable>;
  readonly trustedUntilMs: number;

  /** `readAtMs`: when reading them began, on a clock that never goes back. */
  constructor(tables: readonly TargetTable[], readAtMs: number) {
    this.#tables = new Map(tables.map((table) => [tableLabel(table), table]));
    this.trustedUntilMs = readAtMs + trustMs;
  }

  get(label: string, nowMs: number): TargetTable | undefined {
    return nowMs < this.trustedUntilMs ? this.#tables.get(label) : undefined;
  }
}
