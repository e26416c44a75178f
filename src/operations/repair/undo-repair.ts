import { jobName } from '../../core/job.ts';
import type { KeptImage, Repairer, RowRepair } from '../../core/repairer.ts';
import type { TableName } from '../../core/table.ts';
import { parseTablePattern } from '../../core/table-pattern.ts';
import type { JobWork } from '../jobs/job-work.ts';
import type { UndoneDocument } from './repair-document.ts';
import { repairRows } from './repairing-judge.ts';

/**
 * Gives rows back that a repair has changed, the latest first, where they are still as it has left them: what the stream or others
 * have changed since is newer. Done again it does nothing.
 */
export async function undoRepair(
  { source, store, definition, epoch, job, signal }: JobWork,
  repairer: Repairer,
  number: number,
): Promise<UndoneDocument> {
  const checkpoint = (await store.read())?.checkpoint;
  const node = source.originName(await source.identity());
  const origin = checkpoint?.phase === 'ready' ? { node, position: checkpoint.position } : null;
  const counts = { changed: 0, refused: {} as Record<string, number> };
  for await (const images of repairer.kept(number)) {
    for (const group of groupsOf(images)) {
      signal.throwIfAborted();
      const [first] = group;
      if (first === undefined) continue;
      const shape = { table: tableOf(first.table), key: first.keyColumns, columns: first.columns, condition: null };
      const rows = group.map(
        ({ key, before, after, number: undoes }): RowRepair => ({
          key,
          before: after,
          after: before,
          undoes,
        }),
      );
      const outcomes = await repairRows(repairer, { shape, rows, epoch, job: job.number, origin });
      for (const outcome of outcomes) {
        if (outcome.kind === 'changed') counts.changed++;
        else if (outcome.kind === 'refused') counts.refused[outcome.why] = (counts.refused[outcome.why] ?? 0) + 1;
      }
    }
  }
  // As they are stored: a worker before may have given some back already.
  const rows = [...(await repairer.counts(job.number)).values()].reduce((sum, count) => sum + count, 0);
  return { version: 1, route: definition.name, undone: jobName(definition.name, number), rows, ...counts };
}

/** Neighbours of one table. */
function groupsOf(images: readonly KeptImage[]): KeptImage[][] {
  const groups: KeptImage[][] = [];
  for (const image of images) {
    const last = groups.at(-1);
    if (last?.[0]?.table === image.table) last.push(image);
    else groups.push([image]);
  }
  return groups;
}

/** Of a label, which quotes what would be ambiguous. */
function tableOf(label: string): TableName {
  const exact = parseTablePattern(label.replace(/(^|\.)([^".]*[^a-z0-9_$".][^".]*)(?=\.|$)/g, '$1"$2"')).exact;
  if (exact === null) throw new RangeError('a label that names no table');
  return exact;
}
