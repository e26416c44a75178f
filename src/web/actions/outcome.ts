import type {
  AdoptedDocument,
  AppliedDocument,
  DroppedDocument,
  LeftoversDocument,
  RenamedDocument,
} from '../api/documents.ts';
import { bytes, counted } from '../format/numbers.ts';
import type { Action } from './action.ts';

/** What has come of an action: in a line, and whether it is what was meant. */
export interface Outcome {
  readonly text: string;
  readonly asMeant: boolean;
  /** For an administrator to run. */
  readonly statements: readonly string[];
}

/** What the service answers to start, stop and so on, as far as it is told here. */
interface LifecycleAnswer {
  readonly desiredState: string;
  readonly changed?: boolean;
  readonly engine: boolean;
  readonly holder?: { readonly host: string; readonly pid: number } | null;
  readonly retention?: { readonly retainedBytes: number | null; readonly warnBytes: number } | null;
}

interface JobAnswer {
  readonly id: string;
  readonly state: string;
  readonly wish: string;
  readonly engine: boolean;
}

interface ParkedAnswer {
  readonly done: boolean;
  readonly applied: readonly number[];
  readonly failed: readonly { readonly id: number; readonly code: string }[];
  readonly waiting: readonly number[];
  readonly discarded: readonly number[];
}

export function outcomeOf(action: Action, answer: unknown): Outcome {
  const { left = [], leftovers = [] } = answer as Partial<DroppedDocument & LeftoversDocument>;
  const statements = [...left, ...leftovers.flatMap((one) => one.statements)];
  return { ...told(action, answer), statements };
}

type Told = Omit<Outcome, 'statements'>;

function told(action: Action, answer: unknown): Told {
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
    case 'compare':
    case 'repair':
    case 'load':
    case 'job':
      return jobOutcome(answer as JobAnswer);
    case 'adopt':
      return { text: `goes on from ${(answer as AdoptedDocument).position} when it is started`, asMeant: true };
    case 'drop':
      return droppedOutcome(answer as DroppedDocument);
    case 'dropOrphans':
    case 'dropUnreachable':
      return leftoversOutcome(answer as LeftoversDocument);
    case 'rename':
      return renamedOutcome(answer as RenamedDocument);
    case 'apply':
      return appliedOutcome(answer as AppliedDocument);
    default:
      return lifecycleOutcome(action, answer as LifecycleAnswer);
  }
}

function lifecycleOutcome({ label }: Action, answer: LifecycleAnswer): Told {
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

function jobOutcome({ id, state, wish, engine }: JobAnswer): Told {
  if (!engine) return { text: `job ${id} waits: no engine is there to do it`, asMeant: false };
  return { text: wish === 'run' ? `job ${id} is ${state}` : `${wish} of job ${id} asked for`, asMeant: true };
}

function parkedOutcome({ done, applied, discarded, failed, waiting }: ParkedAnswer): Told {
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

function droppedOutcome({ source, left }: DroppedDocument): Told {
  if (left.length === 0) return { text: 'dropped', asMeant: true };
  return {
    text: `dropped, but for what its user may not drop at ${source.node}; an administrator’s statements`,
    asMeant: false,
  };
}

function leftoversOutcome({ leftovers, failed = [], journalled = true }: LeftoversDocument): Told {
  const wrong = failed.map(({ error: { code, message } }) => `; ${code} ${message}`).join('');
  if (leftovers.length === 0) return { text: `nothing was left behind${wrong}`, asMeant: failed.length === 0 };
  const left = leftovers.filter(({ dropped, statements }) => !dropped || statements.length > 0);
  const text = leftovers
    .map(({ name, node, dropped }) => `${name} at ${node} ${dropped ? 'dropped' : 'left'}`)
    .join(', ');
  const lost = journalled ? '' : '; the journal went with the node';
  return { text: text + lost + wrong, asMeant: left.length + failed.length === 0 };
}

function renamedOutcome({ name, configured }: RenamedDocument): Told {
  if (configured) return { text: `is ${name} now`, asMeant: true };
  return { text: `is ${name} now; no engine runs it until the configuration names it so, too`, asMeant: false };
}

function appliedOutcome({ routes }: AppliedDocument): Told {
  const of = (outcome: string) => routes.filter((route) => route.outcome === outcome).map(({ name }) => name);
  const idle = routes.flatMap(({ name, outcome, reason }) => (outcome === 'asked' && reason !== null ? [name] : []));
  const said = [
    ['applied to', of('applied')],
    ['begun:', of('new')],
    ['under way at', of('asked').filter((name) => !idle.includes(name))],
    ['waits for an engine:', idle],
    ['not applied to', of('failed')],
  ] as const;
  const text = said.flatMap(([what, names]) => (names.length === 0 ? [] : `${what} ${names.join(', ')}`)).join('; ');
  return { text: text === '' ? 'nothing was to be done' : text, asMeant: of('failed').length + idle.length === 0 };
}
