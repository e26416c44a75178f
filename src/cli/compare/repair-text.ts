import { placeText } from '../../control/node-place.ts';
import type { RepairDocument, UndoneDocument } from '../../operations/repair/repair-document.ts';
import { counted } from '../counted.ts';
import { tableText } from '../table-text.ts';
import { wrapped } from '../wrapped.ts';
import { examplesText, unequalText } from './compare-text.ts';

/** What a repair has found and done, for people. */
export function repairText(document: RepairDocument, columns: number | null): string {
  const { route, tables, target, dryRun, job, equal } = document;
  const titles = ['TABLE', 'ROWS>', 'MISSING>', 'EXTRA>', 'DIFFERENT>', 'UNDECIDED>', 'REPAIRED>', 'LEFT>'];
  const rows = tables.map((table) => [
    table.target,
    ...(['rows', 'missing', 'extra', 'different', 'undecided', 'repaired', 'left'] as const).map((name) =>
      table[name].toLocaleString('en'),
    ),
  ]);
  const lines = [tableText(titles, rows, columns), ''];
  for (const { name, unverified, refused } of tables) {
    if (unverified !== null) lines.push(...wrapped(`${name} was not looked at: ${unverified}`, { indent: 0, columns }));
    for (const [why, count] of Object.entries(refused))
      lines.push(...wrapped(`${name}: ${counted(count, 'row')} refused by the target, ${why}`, { indent: 0, columns }));
  }
  for (const table of tables) if (table.examples.length > 0) lines.push(...examplesText(table));
  const place = placeText({ ...target, hosts: target.hosts ?? [target.host] });
  const inserted = sum(tables, 'missing');
  const deleted = sum(tables, 'extra');
  const updated = sum(tables, 'different');
  if (dryRun)
    lines.push(
      `${route}: at ${place} ${counted(inserted, 'row')} would be inserted, ${updated.toLocaleString('en')} updated, ${deleted.toLocaleString('en')} deleted`,
    );
  else lines.push(`${route}: ${counted(sum(tables, 'repaired'), 'row')} repaired at ${place}`);
  if (job !== null) lines.push(`"tidelock repair ${route} --undo ${job} --yes" takes it back`);
  lines.push(`${route}: ${equal ? 'equal now' : leftText(document)}`);
  return `${lines.join('\n')}\n`;
}

export function undoneText({ undone, rows, changed, refused }: UndoneDocument): string {
  const lines = [`${undone} is taken back: ${counted(rows, 'row')}`];
  if (changed > 0) lines.push(`${counted(changed, 'row')} changed since, left as they are`);
  for (const [why, count] of Object.entries(refused))
    lines.push(`${counted(count, 'row')} refused by the target, ${why}`);
  return `${lines.join('\n')}\n`;
}

/** Of a dry run all that differs is left. */
function leftText({ tables, dryRun }: RepairDocument): string {
  if (dryRun) return unequalText(tables);
  return unequalText(tables.map((table) => ({ ...table, missing: 0, extra: 0, different: table.left })));
}

function sum(tables: RepairDocument['tables'], name: 'missing' | 'extra' | 'different' | 'repaired'): number {
  return tables.reduce((total, table) => total + table[name], 0);
}
