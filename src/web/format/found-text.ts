import type { JobDocument } from '../api/documents.ts';
import { count, counted } from './numbers.ts';

export interface Found {
  readonly text: string;
  readonly differs: boolean;
}

/** What a compare that is done has found, in a few words; null of other jobs, and where it does not tell. */
export function foundText({ kind, state, progress }: Pick<JobDocument, 'kind' | 'state' | 'progress'>): Found | null {
  const tables = progress?.tables ?? [];
  if (kind !== 'compare' || state !== 'done' || tables.length === 0) return null;
  const sum = (of: 'missing' | 'extra' | 'different' | 'undecided'): number =>
    tables.reduce((total, table) => total + (table[of] ?? 0), 0);
  const differing = sum('missing') + sum('extra') + sum('different');
  const undecided = sum('undecided');
  const left = tables.filter(({ unverified = null }) => unverified !== null).length;
  const parts = [
    differing > 0 && `${counted(differing, 'row')} ${differing === 1 ? 'differs' : 'differ'}`,
    undecided > 0 && `${count(undecided)} undecided`,
    left > 0 && `${counted(left, 'table')} not compared`,
  ].filter(Boolean);
  return { text: parts.length === 0 ? 'no row differs' : parts.join(', '), differs: differing > 0 };
}
