import type { Position } from '../../core/position.ts';
import type { Repairer, RepairRequest, RowOutcome, RowRepair } from '../../core/repairer.ts';
import type { Judge, Judgement } from '../compare/judge.ts';
import { type JudgeOptions, judgeOf } from '../compare/judge-of.ts';
import type { Suspect } from '../compare/suspects.ts';
import type { TablePlan } from '../compare/table-plan.ts';

export interface RepairingJudgeOptions extends Omit<JudgeOptions, 'act' | 'giveUp' | 'demands'> {
  readonly repairer: Repairer;
  readonly epoch: bigint;
  readonly job: number;
  /** As origin markers name the source. */
  readonly sourceNode: string;
  /** By label of the target table: what an earlier attempt of the job has stored. */
  readonly before: ReadonlyMap<string, RepairCounts>;
}

export interface RepairCounts {
  readonly refused: Readonly<Record<string, number>>;
  readonly left: number;
}

/** Applying waits for so many rows at once. */
const repairedAtOnce = 100;

/**
 * Judges as a compare does, and makes the target's row the source's while it is known what that is: within the look, when the target is
 * at the very position at which the source's row was seen. What the source has changed since comes behind it in the stream, so
 * that newer data is never overwritten; what others have changed at the target in that moment is left alone. Where another route carries
 * rows back see BothWaysJudge.
 */
export class RepairingJudge implements Judge {
  readonly #options: RepairingJudgeOptions;
  readonly #repairing: Judge;
  readonly #checking: Judge;
  readonly #counts = new Map<string, { refused: Record<string, number>; left: number }>();

  constructor(options: RepairingJudgeOptions) {
    this.#options = options;
    const shared = { ...options, demands: true };
    this.#repairing = judgeOf({
      ...shared,
      act: (plan, judgements, position) => this.#repair(plan, judgements, position),
      // What it has sent and was not answered is not committed by it any more: a row that it holds meanwhile the stream waits for.
      giveUp: () => void options.repairer.close(),
    });
    this.#checking = judgeOf(shared);
    for (const [target, { refused, left }] of options.before)
      this.#counts.set(target, { refused: { ...refused }, left });
  }

  counts(plan: TablePlan): RepairCounts {
    return this.#counts.get(plan.target) ?? { refused: {}, left: 0 };
  }

  get isOneWay(): boolean {
    return this.#options.otherWay === null;
  }

  async tells(plan: TablePlan): Promise<boolean> {
    return (await this.#checking.tells?.(plan)) ?? true;
  }

  async judge(plan: TablePlan, suspects: readonly Suspect[]): Promise<readonly Judgement[]> {
    const judgements: Judgement[] = [];
    for (let at = 0; at < suspects.length; at += repairedAtOnce) {
      const judged = await this.#repairing.judge(plan, suspects.slice(at, at + repairedAtOnce));
      judgements.push(...judged);
      const uncarried = judged.filter(({ refused }) => refused !== undefined);
      for (const { refused = [] } of uncarried) this.refused(plan, refused);
      this.left(plan, uncarried.length);
      await this.#check(
        plan,
        judged.filter(({ refused }) => refused === undefined),
      );
    }
    return judgements;
  }

  /** What was touched is compared once more. */
  async #check(plan: TablePlan, judged: readonly Judgement[]): Promise<void> {
    const touched = judged.flatMap(({ key, verdict }) =>
      verdict === 'equal' || verdict === 'undecided' ? [] : [{ key, kind: verdict }],
    );
    if (touched.length === 0) return;
    const again = await this.#checking.judge(plan, touched);
    this.left(plan, again.filter(({ verdict }) => verdict !== 'equal').length);
  }

  async #repair(plan: TablePlan, judgements: readonly Judgement[], position: Position): Promise<void> {
    const rows = judgements.flatMap(({ key, verdict, seen, version }): RowRepair[] =>
      verdict === 'equal' || verdict === 'undecided' || seen === null
        ? []
        : [{ key, before: seen.target, after: seen.source, ...(version != null && { version }) }],
    );
    await this.write(plan, rows, position);
  }

  /** Within a look; counts what the target refuses. */
  async write(plan: TablePlan, rows: readonly RowRepair[], position: Position): Promise<readonly RowOutcome[]> {
    if (rows.length === 0) return [];
    const { repairer, epoch, job, sourceNode } = this.#options;
    const request = { shape: plan.targetShape, epoch, job, origin: { node: sourceNode, position } };
    const outcomes = await repairRows(repairer, { ...request, rows });
    for (const outcome of outcomes) if (outcome.kind === 'refused') this.#refuse(plan, outcome.why);
    return outcomes;
  }

  #refuse(plan: TablePlan, why: string): void {
    const { refused } = this.#of(plan);
    refused[why] = (refused[why] ?? 0) + 1;
  }

  /** A row that the route would halt at. */
  refused(plan: TablePlan, columns: readonly string[]): void {
    this.#refuse(plan, `TL-4602 ${columns.join(', ')}`);
  }

  /** Rows that still differ. */
  left(plan: TablePlan, rows: number): void {
    this.#of(plan).left += rows;
  }

  #of(plan: TablePlan): { refused: Record<string, number>; left: number } {
    let counts = this.#counts.get(plan.target);
    if (counts === undefined) {
      counts = { refused: {}, left: 0 };
      this.#counts.set(plan.target, counts);
    }
    return counts;
  }
}

/** Together where they go together; of rows that the target refuses each half by itself, down to the row that it is. */
export async function repairRows(repairer: Repairer, request: RepairRequest): Promise<readonly RowOutcome[]> {
  const { rows } = request;
  const outcomes = await repairer.repair(request);
  if (rows.length <= 1 || !outcomes.some(({ kind }) => kind === 'refused')) return outcomes;
  const half = Math.ceil(rows.length / 2);
  return [
    ...(await repairRows(repairer, { ...request, rows: rows.slice(0, half) })),
    ...(await repairRows(repairer, { ...request, rows: rows.slice(half) })),
  ];
}
