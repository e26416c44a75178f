import { bytes, counted } from '../format/numbers.ts';
import type { Action } from './action.ts';

/** What has come of an action: in a line, and whether it is what was meant. */
export interface Outcome {
  readonly text: string;
  readonly asMeant: boolean;
}

/** What the service answers to start, stop and so on, as far as it is told here. */
interface LifecycleAnswer {
  readonly desiredState: string;
  readonly changed?: boolean;
  readonly engine: boolean;
  readonly holder?: { readonly host: string; readonly pid: number } | null;
  readonly retention?: { readonly retainedBytes: number | null; readonly warnBytes: number } | null;
}

interface ParkedAnswer {
  readonly done: boolean;
  readonly applied: readonly number[];
  readonly failed: readonly { readonly id: number; readonly code: string }[];
  readonly waiting: readonly number[];
  readonly discarded: readonly number[];
}

export function outcomeOf(action: Action, answer: unknown): Outcome {
  switch (action.id) {
    case 'retry':
    case 'discard':
      return parkedOutcome(answer as ParkedAnswer);
    case 'skip':
      return { text: 'the transaction is set aside when it is met again', asMeant: true };
    case 'sequences': {
      const { sequences } = answer as { readonly sequences: readonly unknown[] };
      return { text: `${counted(sequences.length, 'sequence')} looked at and carried forward`, asMeant: true };
    }
    default:
      return lifecycleOutcome(action, answer as LifecycleAnswer);
  }
}

function lifecycleOutcome({ label }: Action, answer: LifecycleAnswer): Outcome {
  const { desiredState, changed = true, engine, holder, retention } = answer;
  if (!changed) return { text: `left as it was, ${desiredState}`, asMeant: false };
  if (holder === null) return { text: 'asked for; no engine has taken it in time', asMeant: false };
  if (holder !== undefined) return { text: `taken over by ${holder.host} (process ${holder.pid})`, asMeant: true };
  if (!engine) return { text: `${label.toLowerCase()} asked for, but no engine is there to do it`, asMeant: false };
  const kept = retention?.retainedBytes ?? null;
  const told =
    kept === null || retention == null
      ? ''
      : `; the source keeps ${bytes(kept)} for it, a warning comes at ${bytes(retention.warnBytes)}`;
  return { text: `${label.toLowerCase()} asked for${told}`, asMeant: true };
}

function parkedOutcome({ done, applied, discarded, failed, waiting }: ParkedAnswer): Outcome {
  if (!done) return { text: 'asked for; the engine does it as soon as it can', asMeant: false };
  const said = [
    applied.length > 0 && `${counted(applied.length, 'transaction')} applied`,
    discarded.length > 0 && `${counted(discarded.length, 'transaction')} given up`,
    failed.length > 0 && `${failed.length} failed again (${failed[0]?.code})`,
    waiting.length > 0 && `${waiting.length} wait for those`,
  ].filter(Boolean);
  const text = said.length === 0 ? 'nothing was parked' : said.join(', ');
  return { text, asMeant: failed.length + waiting.length === 0 };
}
