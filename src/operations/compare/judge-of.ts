import { BothWaysJudge } from './both-ways-judge.ts';
import type { Judge } from './judge.ts';
import type { OtherWay } from './other-way.ts';
import { StreamJudge, type StreamJudgeOptions } from './stream-judge.ts';

export interface JudgeOptions extends StreamJudgeOptions {
  /** Null where no route carries rows back. */
  readonly otherWay: OtherWay | null;
  /** BothWaysOptions.demands */
  readonly demands: boolean;
}

/** Whoever decides about suspects of this route. */
export function judgeOf({ otherWay, demands, ...options }: JudgeOptions): Judge {
  return otherWay === null ? new StreamJudge(options) : new BothWaysJudge({ ...options, otherWay, demands });
}
