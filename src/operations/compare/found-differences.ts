import { createHmac } from 'node:crypto';
import type { ComparedRow } from '../../core/compare-side.ts';
import type { DifferenceExample } from './compare-document.ts';
import type { Judgement } from './judge.ts';
import type { TablePlan } from './table-plan.ts';

/** Examples of a table at most. */
export const mostExamples = 20;

export interface Counts {
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  readonly undecided: number;
}

export const noCounts: Counts = { missing: 0, extra: 0, different: 0, undecided: 0 };

export function added(a: Counts, b: Counts): Counts {
  return {
    missing: a.missing + b.missing,
    extra: a.extra + b.extra,
    different: a.different + b.different,
    undecided: a.undecided + b.undecided,
  };
}

export interface FoundOptions {
  readonly showValues: boolean;
  /** JobStore.digestKey */
  readonly digestKey: string;
  readonly counts: Counts;
  readonly examples: readonly DifferenceExample[];
}

/** Adds up what was judged; keeps examples, with values only where they were asked for. */
export class FoundDifferences {
  readonly #plan: TablePlan;
  readonly #showValues: boolean;
  readonly #digestKey: string;
  readonly #examples: DifferenceExample[];
  #counts: Counts;

  constructor(plan: TablePlan, { showValues, digestKey, counts, examples }: FoundOptions) {
    this.#plan = plan;
    this.#digestKey = digestKey;
    this.#showValues = showValues;
    this.#counts = counts;
    this.#examples = [...examples];
  }

  get counts(): Counts {
    return this.#counts;
  }

  get examples(): readonly DifferenceExample[] {
    return this.#examples;
  }

  add(judgements: readonly Judgement[]): void {
    for (const judgement of judgements) {
      const { verdict } = judgement;
      if (verdict === 'equal') continue;
      this.#counts = { ...this.#counts, [verdict]: this.#counts[verdict] + 1 };
      if (verdict !== 'undecided' && this.#examples.length < mostExamples)
        this.#examples.push(this.#example({ ...judgement, verdict }));
    }
  }

  #example({
    key,
    verdict,
    seen,
    refused,
  }: Judgement & { readonly verdict: DifferenceExample['kind'] }): DifferenceExample {
    const names = this.#plan.targetShape.columns.map(({ name }) => name);
    const { source = null, target = null } = seen ?? {};
    const differing = source === null || target === null ? [] : names.filter((_, at) => source[at] !== target[at]);
    const named = (row: ComparedRow | null): Record<string, string | null> | null =>
      row === null ? null : Object.fromEntries(names.map((name, at) => [name, row[at] ?? null]));
    const keys = this.#plan.targetShape.key;
    const values = {
      key: Object.fromEntries(keys.map((name, at) => [name, key[at] ?? null])),
      source: named(source),
      target: named(target),
    };
    return {
      kind: verdict,
      digest: keyDigest(this.#digestKey, this.#plan.target, key),
      columns: refused ?? differing,
      ...(refused !== undefined && { uncarried: true as const }),
      ...(this.#showValues && { values }),
    };
  }
}

/** The same for the same row in each compare; without the secret nobody can tell by it what the key is, however few keys there are. */
export function keyDigest(secret: string, table: string, key: readonly string[]): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([table, key]))
    .digest('hex')
    .slice(0, 16);
}
