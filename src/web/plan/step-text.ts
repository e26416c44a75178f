import type { PlannedRoute, TableStep } from '../api/documents.ts';

/** The signs of `tidelock plan`. */
const signs: Readonly<Record<string, string>> = { add: '+', drop: '−', move: '>', reload: '~', remap: '=' };

export function signOf({ action }: TableStep): string {
  return signs[action] ?? '?';
}

/** What happens to a table. */
export function stepText({
  action,
  target,
  before = '',
  loads = true,
  replaced = [],
  changed = [],
}: TableStep): string {
  const replacing = replaced.length === 0 ? '' : `, in place of the rows of ${replaced.join(', ')}`;
  switch (action) {
    case 'add':
      return loads ? `loaded into ${target}${replacing}` : `followed into ${target}, without a load`;
    case 'drop':
      return `no longer followed; the rows of ${target} stay`;
    case 'move':
      return `loaded into ${target}${replacing}; the rows of ${before} stay`;
    case 'reload':
      return `${changed.join(', ')}: loaded again, the rows of ${target} are replaced`;
    case 'remap':
      return before === target
        ? `${changed.join(', ')}: only what comes later; the rows of ${target} stay as they are`
        : `from now on to ${target}; the rows of ${before} stay`;
    default:
      return target;
  }
}

const states: Readonly<Record<string, string>> = {
  new: 'New: it begins with a load.',
  unread: 'What would change can not be told:',
  unknown: 'It was loaded by an older version: what is configured now is taken for what it was loaded with.',
};

/** Of a route whose plan is no list of steps; null where it is one. */
export function stateText({ state }: PlannedRoute): string | null {
  return states[state] ?? null;
}

const refusals: Readonly<Record<string, string>> = {
  source: 'The source node is another database: drop the route and begin it anew under another name.',
  slot: 'A route keeps its slot: put the key back, or drop the route and begin it anew.',
  publication: 'A route keeps its publication: put the key back, or drop the route and begin it anew.',
};

export function refusalText(what: string): string {
  return refusals[what] ?? what;
}
