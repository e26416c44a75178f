import type { JobView } from '../../control/jobs.ts';
import type { CompareDocument, ComparedTable, DifferenceExample } from '../../operations/compare/compare-document.ts';
import { columnsText, unequalText } from './compare-text.ts';

const style = `
  body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1a2330; background: #fff; }
  table { border-collapse: collapse; width: 100%; }
  .wide { overflow-x: auto; margin: 1rem 0; }
  th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #d5dbe3; vertical-align: top; }
  td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
  code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
  .equal { color: #0a6b3d; } .differs { color: #a3181f; font-weight: 600; } .open { color: #7a4b00; font-weight: 600; }
  @media (prefers-color-scheme: dark) { body { color: #dde4ee; background: #10161f; } th, td { border-color: #2c3746; }
    .equal { color: #5fd39a; } .differs { color: #ff8a8f; } .open { color: #f0bd62; } }`;

/** The result of a compare as one page without scripts, that loads nothing. */
export function compareHtml(job: JobView, document: CompareDocument): string {
  const { route, equal, partial, tables } = document;
  const verdict = equal ? 'equal' : unequalText(tables);
  const about = [
    `Job <code>${text(job.id)}</code>, asked for by ${text(job.askedBy)}`,
    job.startedAt === null ? '' : `begun ${text(job.startedAt)}`,
    job.endedAt === null ? '' : `ended ${text(job.endedAt)}`,
    partial ? 'only a part of the rows was looked at' : '',
  ].filter((part) => part !== '');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Compare of ${text(route)}: ${verdict}</title>
<style>${style}</style>
<h1>Compare of ${text(route)}: <span class="${equal ? 'equal' : 'differs'}">${verdict}</span></h1>
<p>${about.join('; ')}.</p>
<div class="wide" tabindex="0">
<table>
<thead><tr><th>Table</th><th>At the target</th><th class="n">Rows</th><th class="n">Missing</th><th class="n">Extra</th><th class="n">Different</th><th class="n">Undecided</th><th>Result</th></tr></thead>
<tbody>
${tables.map(tableRow).join('\n')}
</tbody>
</table>
</div>
${tables
  .filter(({ examples }) => examples.length > 0)
  .map(examplesOf)
  .join('\n')}
</html>
`;
}

function tableRow(table: ComparedTable): string {
  const { name, target, rows, missing, extra, different, undecided, unverified } = table;
  const counts = [missing, extra, different, undecided].map((count) => `<td class="n">${number(count)}</td>`).join('');
  return `<tr><td>${text(name)}</td><td>${text(target)}</td><td class="n">${number(rows)}</td>${counts}<td>${result()}</td></tr>`;

  function result(): string {
    if (unverified !== null) return `<span class="open">not compared</span>: ${text(unverified)}`;
    if (missing + extra + different > 0) return '<span class="differs">differs</span>';
    return undecided > 0 ? '<span class="open">undecided</span>' : '<span class="equal">equal</span>';
  }
}

function examplesOf({ name, examples }: ComparedTable): string {
  return `<h2>${text(name)}</h2>
<div class="wide" tabindex="0">
<table>
<thead><tr><th>Kind</th><th>Key</th><th>Columns</th><th>Source</th><th>Target</th></tr></thead>
<tbody>
${examples.map(exampleRow).join('\n')}
</tbody>
</table>
</div>`;
}

function exampleRow(example: DifferenceExample): string {
  const { kind, digest, columns, values, uncarried } = example;
  const key = values === undefined ? `<code>${digest}</code>` : valuesText(values.key, Object.keys(values.key));
  const shown = (row: Readonly<Record<string, string | null>> | null | undefined): string =>
    row === undefined || uncarried === true
      ? ''
      : row === null
        ? '(no row)'
        : valuesText(row, columns.length > 0 ? columns : Object.keys(row));
  return `<tr><td>${kind}</td><td>${key}</td><td>${text(columnsText(example))}</td><td>${shown(values?.source)}</td><td>${shown(values?.target)}</td></tr>`;
}

function valuesText(row: Readonly<Record<string, string | null>>, names: readonly string[]): string {
  return names
    .map((name) => `${text(name)}=<code>${row[name] == null ? 'null' : text(JSON.stringify(row[name]))}</code>`)
    .join('<br>');
}

function number(count: number): string {
  return count.toLocaleString('en');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function text(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
