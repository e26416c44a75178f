import type { Judge, Judgement } from './judge.ts';
import type { Suspect } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';

/** Suspects that are looked at together at most: applying waits for so many. */
export const mostAtOnce = 500;
/** Of both sides' rows: a look has them in memory several times. */
const bytesAtOnce = 4_000_000;
const growth = 4;
/** Before it is known how large they are. Rows that a repair writes go together where they may depend on each other. */
const firstAtOnce = 100;

/** Has suspects of one table judged in groups. How large their rows are shows with the first of them. */
export class GroupedJudge {
  readonly #judge: Judge;
  readonly #plan: TablePlan;
  #atOnce = firstAtOnce;

  constructor(judge: Judge, plan: TablePlan) {
    this.#judge = judge;
    this.#plan = plan;
  }

  async *judge(suspects: readonly Suspect[], signal: AbortSignal): AsyncGenerator<readonly Judgement[]> {
    for (let at = 0; at < suspects.length; ) {
      signal.throwIfAborted();
      const atOnce = this.#atOnce;
      const group = suspects.slice(at, at + atOnce);
      const judgements = await this.#judge.judge(this.#plan, group);
      at += group.length;
      const bytesOfOne = Math.max(1, bytesOf(judgements) / group.length);
      const tried = group.length === atOnce ? growth * atOnce : atOnce;
      this.#atOnce = Math.max(1, Math.min(mostAtOnce, tried, Math.floor(bytesAtOnce / bytesOfOne)));
      yield judgements;
    }
  }
}

function bytesOf(judgements: readonly Judgement[]): number {
  let bytes = 0;
  for (const { seen } of judgements)
    for (const row of [seen?.source, seen?.target]) for (const cell of row ?? []) bytes += cell?.length ?? 0;
  return bytes;
}
