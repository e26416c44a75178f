import type { CompareDocument, ComparedTable, DifferenceExample } from '../../operations/compare/compare-document.ts';
import { counted } from '../counted.ts';
import { tableText } from '../table-text.ts';
import { wrapped } from '../wrapped.ts';

/** What a compare has found, for people. */
export function compareText({ route, equal, partial, tables }: CompareDocument, columns: number | null): string {
  const rows = tables.map(({ name, rows: count, missing, extra, different, undecided, unverified }) => [
    name,
    number(count),
    ...(unverified === null ? [missing, extra, different, undecided].map(number) : ['-', '-', '-', '-']),
    verdict({ missing, extra, different, undecided, unverified }),
  ]);
  const titles = ['TABLE', 'ROWS>', 'MISSING>', 'EXTRA>', 'DIFFERENT>', 'UNDECIDED>', 'RESULT!'];
  const lines = [tableText(titles, rows, columns), ''];
  for (const { name, unverified } of tables)
    if (unverified !== null) lines.push(...wrapped(`${name} was not compared: ${unverified}`, { indent: 0, columns }));
  if (tables.some(({ unverified }) => unverified !== null)) lines.push('');
  const examples = tables.filter((table) => table.examples.length > 0);
  for (const table of examples) lines.push(...examplesText(table));
  const all = tables.reduce((sum, table) => sum + table.rows, 0);
  const found = equal ? `equal, ${counted(all, 'row')} in ${counted(tables.length, 'table')}` : unequalText(tables);
  lines.push(`${route}: ${found}${partial ? '; only a part of the rows was looked at' : ''}`);
  return `${lines.join('\n')}\n`;
}

/** What is proven comes first: rows that differ, then what nobody could tell. */
export function unequalText(
  tables: readonly Pick<ComparedTable, 'missing' | 'extra' | 'different' | 'undecided' | 'unverified'>[],
): string {
  const sum = (name: 'missing' | 'extra' | 'different' | 'undecided'): number =>
    tables.reduce((total, table) => total + table[name], 0);
  const differ = sum('missing') + sum('extra') + sum('different');
  const [undecided, left] = [sum('undecided'), tables.filter(({ unverified }) => unverified !== null).length];
  const untold = [
    ...(undecided === 0 ? [] : [`${counted(undecided, 'row')} undecided`]),
    ...(left === 0 ? [] : [`${counted(left, 'table')} not compared`]),
  ];
  const verdict =
    differ > 0
      ? `not equal, ${counted(differ, 'row')} ${differ === 1 ? 'differs' : 'differ'}`
      : 'not shown to be equal';
  return [verdict, ...untold].join(', ');
}

function verdict(table: Omit<ComparedTable, 'name' | 'target' | 'rows' | 'examples'>): string {
  const { missing, extra, different, undecided, unverified } = table;
  if (unverified !== null) return 'not compared';
  if (missing + extra + different > 0) return 'differs';
  return undecided > 0 ? 'undecided' : 'equal';
}

export function examplesText({ name, target, examples }: ComparedTable): string[] {
  return [
    name === target ? name : `${name} -> ${target}`,
    ...examples.flatMap((example) => [
      `  ${example.kind.padEnd(9)} key ${example.digest}${example.columns.length === 0 ? '' : `  ${columnsText(example)}`}`,
      ...valuesText(example),
    ]),
    '',
  ];
}

/** Without the values, which travel nowhere. */
export function columnsText({ columns, uncarried }: DifferenceExample): string {
  return `${columns.join(', ')}${uncarried === true ? ' (no form at the target)' : ''}`;
}

function valuesText({ values, columns, uncarried }: DifferenceExample): string[] {
  if (values === undefined) return [];
  const { key, source, target } = values;
  const shown = (row: Readonly<Record<string, string | null>> | null, names: readonly string[]): string =>
    row === null ? '(no row)' : names.map((name) => `${name}=${text(row[name])}`).join(' ');
  const names = columns.length > 0 ? columns : Object.keys(source ?? target ?? {});
  const named = Object.entries(key).map(([name, value]) => `${name}=${text(value)}`);
  return [
    ...(named.length === 0 ? [] : [`            ${named.join(' ')}`]),
    // Neither was read as the other side has it.
    ...(uncarried === true
      ? []
      : [`            source ${shown(source, names)}`, `            target ${shown(target, names)}`]),
  ];
}

const longest = 60;

function text(value: string | null | undefined): string {
  if (value === null || value === undefined) return 'null';
  const quoted = JSON.stringify(value);
  return quoted.length <= longest ? quoted : `${quoted.slice(0, longest)}… (${value.length} characters)`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}
