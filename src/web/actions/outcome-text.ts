import { counted } from '../format/numbers.ts';
import type { Action } from './action.ts';

interface ParkedOutcome {
  readonly done?: boolean;
  readonly applied?: readonly number[];
  readonly failed?: readonly { readonly id: number; readonly code: string; readonly message: string }[];
  readonly waiting?: readonly number[];
  readonly discarded?: readonly number[];
}

/** What has come of it, in a line. */
export function outcomeText(action: Action, answer: unknown): string {
  if (action.id !== 'retry' && action.id !== 'discard') return `${action.label.toLowerCase()} asked for`;
  const { done = true, applied = [], failed = [], waiting = [], discarded = [] } = (answer ?? {}) as ParkedOutcome;
  if (!done) return 'asked for; the engine does it as soon as it can';
  const said = [
    applied.length > 0 && `${counted(applied.length, 'transaction')} applied`,
    discarded.length > 0 && `${counted(discarded.length, 'transaction')} given up`,
    failed.length > 0 && `${failed.length} failed again (${failed[0]?.code})`,
    waiting.length > 0 && `${waiting.length} wait for those`,
  ].filter(Boolean);
  return said.length === 0 ? 'nothing was parked' : said.join(', ');
}
