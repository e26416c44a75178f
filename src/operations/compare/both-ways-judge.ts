import { keyText } from '../../core/compare-side.ts';
import type { Position } from '../../core/position.ts';
import type { Judge, Judgement } from './judge.ts';
import type { OtherWay } from './other-way.ts';
import { StreamJudge, type StreamJudgeOptions } from './stream-judge.ts';
import type { Suspect } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';

export interface BothWaysOptions extends StreamJudgeOptions {
  readonly otherWay: OtherWay;
  /** Throws where what is on its way does not come; else such rows are undecided. */
  readonly demands: boolean;
}

/** A row that is written each time in between stays undecided. */
const rounds = 4;

/**
 * Judges rows of a table that applications write at both sides. What was written at the target and has not come to the source yet
 * looks like a difference, and would be overwritten. So where a row differs its version at the target is noted, everything that was
 * committed there by then is waited for at the source, and the row is looked at again: where it is still of the same version it has come, and
 * what differs now does differ. Of another version it is on its way again.
 */
export class BothWaysJudge implements Judge {
  readonly isOneWay = false;
  readonly #options: BothWaysOptions;
  readonly #first: StreamJudge;
  readonly #second: StreamJudge;
  /** By the key's text: versions of the rows that are looked at again. */
  #known: ReadonlyMap<string, string | null> = new Map();
  #isLost = false;

  constructor(options: BothWaysOptions) {
    const { act, ...looks } = options;
    this.#options = options;
    this.#first = new StreamJudge({ ...looks, versions: true });
    this.#second = new StreamJudge({
      ...looks,
      versions: true,
      ...(act !== undefined && {
        act: (plan: TablePlan, judgements: readonly Judgement[], position: Position) =>
          act(
            plan,
            judgements.filter((one) => this.#isKnown(one)),
            position,
          ),
      }),
    });
  }

  tells(plan: TablePlan): Promise<boolean> {
    return this.#first.tells(plan);
  }

  async judge(plan: TablePlan, suspects: readonly Suspect[]): Promise<readonly Judgement[]> {
    const judged: Judgement[] = [];
    let open = suspects;
    for (let round = 1; open.length > 0 && round <= rounds; round++) {
      const first = await this.#first.judge(plan, open);
      const differing = first.filter(isDifferent);
      judged.push(...first.filter((one) => !isDifferent(one)));
      open = differing.map(suspectOf);
      if (differing.length === 0 || !(await this.#arrived())) break;
      this.#known = new Map(differing.map(({ key, version }) => [keyText(key), version ?? null]));
      const second = await this.#second.judge(plan, open);
      const isOpen = (one: Judgement): boolean => isDifferent(one) && !this.#isKnown(one);
      judged.push(...second.filter((one) => !isOpen(one)));
      open = second.filter(isOpen).map(suspectOf);
    }
    return [...judged, ...open.map(({ key }): Judgement => ({ key, verdict: 'undecided', seen: null }))];
  }

  #isKnown({ key, version = null }: Judgement): boolean {
    return this.#known.get(keyText(key)) === version;
  }

  /** Not waited for again and again. */
  async #arrived(): Promise<boolean> {
    const { otherWay, demands, signal } = this.#options;
    if (this.#isLost) return false;
    try {
      await otherWay.arrived(signal);
      return true;
    } catch (error) {
      if (demands || signal.aborted) throw error;
      this.#isLost = true;
      return false;
    }
  }
}

function isDifferent({ verdict }: Judgement): boolean {
  return verdict !== 'equal' && verdict !== 'undecided';
}

function suspectOf({ key, verdict }: Judgement): Suspect {
  return { key, kind: verdict === 'equal' || verdict === 'undecided' ? 'different' : verdict };
}
