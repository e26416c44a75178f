import type { JournalEntry } from '../api/documents.ts';
import { counted } from './numbers.ts';
import { duration, moment } from './times.ts';
import { words } from './words.ts';

/** What an entry of the journal tells beside who, why and with what result. */
export interface JournalFacts {
  readonly facts: readonly string[];
  /** What was agreed to, in the lines of `tidelock plan`. */
  readonly plan: readonly string[];
}

/** For machines, or told by the entry's other parts. */
const silent = new Set(['request', 'plan', 'desiredState', 'done']);

/** Without what says nothing: no numbers of requests, no fingerprints, and nothing that was not asked for. */
export function journalFacts({ action, details }: Pick<JournalEntry, 'action' | 'details'>): JournalFacts {
  const { plan } = details;
  const facts = Object.entries(details ?? {}).flatMap(([name, value]) => {
    if (
      silent.has(name) ||
      isNothing(value) ||
      (name === 'changed' && value === true) ||
      (action === 'apply' && (name === 'from' || name === 'to'))
    )
      return [];
    return [factText(name, value)];
  });
  if (details.changed === false) facts.unshift('left as it was');
  return { facts, plan: Array.isArray(plan) ? plan.map(String) : [] };
}

const names: Readonly<Record<string, string>> = { ids: 'of', holder: 'taken over by', before: 'in place of' };

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  return Array.isArray(value) && value.length === 0;
}

/** "for 2 h" of forMs 7200000, "paused until 14:03:11", "carried 3, same 2" */
function factText(name: string, value: unknown): string {
  const said = names[name] ?? words(name);
  if (value === true) return said;
  if (name.endsWith('Ms') && typeof value === 'number') return `${words(name.slice(0, -2))} ${duration(value)}`;
  if (name.endsWith('Until') && typeof value === 'string') return `${said} ${moment(Date.parse(value))}`;
  if (name === 'tables' && typeof value === 'number') return counted(value, 'table');
  if (name === 'parked' && typeof value === 'number') return counted(value, 'parked transaction');
  if (name === 'ids' && value === 'all') return 'all of them';
  if (Array.isArray(value)) return `${said} ${value.map(itemText).join(', ')}`;
  if (typeof value === 'object' && value !== null) return placeOrCounts(said, value as Record<string, unknown>);
  return `${said} ${String(value)}`;
}

/** Of what was done one by one: its number, and why it was not done. */
function itemText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const { id, code } = item as { readonly id?: unknown; readonly code?: unknown };
  return [id, code].filter((part) => part !== undefined).join(' ');
}

function placeOrCounts(said: string, value: Record<string, unknown>): string {
  const { host, pid } = value;
  if (typeof host === 'string') return `${said} ${host} (process ${String(pid)})`;
  const counts = Object.entries(value).map(([name, count]) => `${words(name)} ${String(count)}`);
  return counts.length === 0 ? said : counts.join(', ');
}
