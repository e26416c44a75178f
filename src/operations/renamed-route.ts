import type { ActionJournal } from '../core/action.ts';

/** How far back a rename is looked for. */
const entries = 1_000;

/**
 * The name that a rename has given the route that was called `before`; null where none did, or where either was dropped since. Of the
 * deployment's journal at the target, whose entries go by the name that their route has now.
 */
export async function renamedTo(journal: ActionJournal, before: string): Promise<string | null> {
  const dropped = new Set<string>();
  for (const entry of await journal.read({ deployment: true, before: null, limit: entries })) {
    const { action, result, route, details } = entry;
    if (result !== 'done') continue;
    if (action === 'drop') dropped.add(route);
    else if (action === 'rename' && details.from === before)
      return dropped.has(route) || dropped.has(before) ? null : route;
  }
  return null;
}
