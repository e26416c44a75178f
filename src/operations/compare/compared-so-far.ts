import type { Compared } from '../../core/compared.ts';
import { type Job, jobName } from '../../core/job.ts';
import type { StoredTable } from '../../core/route-state-store.ts';
import type { RepairedTable } from '../repair/repair-document.ts';
import type { CompareDocument, ComparedTable } from './compare-document.ts';

type Known = Pick<
  ComparedTable,
  'name' | 'target' | 'rows' | 'missing' | 'extra' | 'different' | 'undecided' | 'unverified'
> & {
  readonly job: number;
  readonly at: string;
};

/** As registered: several targets of one table are one text. */
type CarriedTable = Pick<StoredTable, 'source' | 'target'>;

/**
 * What is known of a route's tables, as named at the target, by its jobs, the newest first. Only what was about all rows of a table counts:
 * a part says nothing of the others. What was found in a table that has left the route is nobody's to mend any more. Null where nothing
 * was ever compared.
 */
export function comparedSoFar(route: string, jobs: readonly Job[], carried: readonly CarriedTable[]): Compared | null {
  const targets = new Map(carried.map(({ source, target }) => [source, target]));
  const known = new Map<string, Known>();
  for (const job of jobs)
    for (const found of foundBy(job))
      if (!known.has(found.target) && isAmong(found.target, targets.get(found.name))) known.set(found.target, found);
  if (known.size === 0) return null;
  const all = [...known.values()];
  const sum = (of: 'rows' | 'missing' | 'extra' | 'different' | 'undecided'): number =>
    all.reduce((total, table) => total + table[of], 0);
  const times = all.map(({ at }) => at).sort();
  const differing = all.filter(({ missing, extra, different }) => missing + extra + different > 0);
  const last = Math.max(...differing.map(({ job }) => job));
  return {
    at: times.at(-1) ?? '',
    oldest: times[0] ?? '',
    job: differing.length === 0 ? null : jobName(route, last),
    tables: known.size,
    rows: sum('rows'),
    missing: sum('missing'),
    extra: sum('extra'),
    different: sum('different'),
    undecided: sum('undecided'),
    unverified: all.filter(({ unverified }) => unverified !== null).length,
  };
}

function foundBy({ kind, state, options, result, number, endedAt: at }: Job): readonly Known[] {
  if (state !== 'done' || result === null || at === null || options.where != null || options.sample != null) return [];
  const known = (table: ComparedTable, counts: Partial<Known> = {}): Known => {
    const { name, target, rows, missing, extra, different, undecided, unverified } = table;
    return { name, target, rows, missing, extra, different, undecided, unverified, ...counts, job: number, at };
  };
  if (kind === 'compare') return (result as unknown as CompareDocument).tables.map((table) => known(table));
  if (kind !== 'repair' || result.dryRun !== false) return [];
  // Rows that were repaired are equal by now; which kind those are that are left nobody has counted.
  const mended = (table: RepairedTable) => known(table, { missing: 0, extra: 0, different: table.left });
  return (result.tables as readonly RepairedTable[]).map(mended);
}

/** Labels may hold a comma, too. */
function isAmong(target: string, targets: string | undefined): boolean {
  return targets !== undefined && `, ${targets}, `.includes(`, ${target}, `);
}
