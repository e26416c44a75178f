import { relative } from 'node:path';
import { styleText } from 'node:util';
import { placeText } from '../control/node-place.ts';
import { type CheckStyle, checkText } from './check-text.ts';
import { grantsText } from './grants-text.ts';
import { type InitDocument, missingTables } from './init/carry-out.ts';
import { wrapped } from './wrapped.ts';

/** What `init` ends with: what it has written, what stands in the way, and what to do, in order. */
export function initText(document: InitDocument, { cwd, ...style }: CheckStyle & { readonly cwd: string }): string {
  const { file, template, routes, check, grants, notes } = document;
  const bold = (text: string): string => (style.colours ? styleText('bold', text) : text);
  const near = relative(cwd, file);
  // Somewhere else is named as from anywhere: nobody reads ../../../etc.
  const shown = near.startsWith('..') ? file : near;
  const lines = [`wrote ${shown} (${template}): ${routes.length === 1 ? 'route' : 'routes'} ${routes.join(', ')}`, ''];
  if (check !== null) lines.push(checkText({ ...check, service: null }, style));
  const places = new Map(check?.nodes.map(({ name, place }) => [name, placeText(place)]));
  const wanted = grants.filter((of) => of.grants.some(({ held }) => !held));
  for (const of of wanted)
    lines.push(grantsText(of, { place: places.get(of.node) ?? of.node, onlyMissing: true, ...style }));
  lines.push(bold('next:'));
  const steps = nextSteps(document, { shown, hasGrants: wanted.length > 0 });
  for (const [at, step] of steps.entries()) {
    const [first = '', ...commands] = step;
    const [head = '', ...more] = wrapped(first, { indent: 5, columns: style.columns });
    lines.push(`  ${at + 1}. ${head.trimStart()}`, ...more, ...commands.map((command) => `     ${command}`));
  }
  for (const note of notes) lines.push('', ...wrapped(note, { indent: 0, columns: style.columns }));
  return `${lines.join('\n')}\n`;
}

/** Each a sentence, and the commands for it. */
function nextSteps(
  document: InitDocument,
  { shown, hasGrants }: { readonly shown: string; readonly hasGrants: boolean },
): string[][] {
  const { variables, check, routes, addresses } = document;
  const steps: string[][] = [];
  const missing = missingTables(document);
  for (const { node, tables } of missing) {
    const source = check?.routes.find(({ target }) => target.node === node)?.source.node ?? '';
    const count = `${tables.length} ${tables.length === 1 ? 'table' : 'tables'}`;
    steps.push([
      `Make the ${count} that ${node} lacks, with names and columns as the routes want them. As they are at the source:`,
      ...madeSchemas(tables).map((schema) => `psql ${addresses[node]} -c 'CREATE SCHEMA IF NOT EXISTS ${schema}'`),
      `pg_dump --schema-only --no-owner --no-privileges ${dumped(tables)} ${addresses[source]} | psql ${addresses[node]}`,
    ]);
  }
  const hasFindings = check?.nodes.some(({ ok }) => !ok) || check?.routes.some(({ ok }) => !ok);
  if (hasGrants || hasFindings) steps.push(['Run the statements above at the nodes, as an administrator.']);
  if (variables.length > 0)
    steps.push([
      'Set the variables that the file refers to, with the passwords:',
      ...variables.map(({ name, example }) => `export ${name}='${example}'`),
    ]);
  const option = shown === 'tidelock.yaml' ? '' : ` -c ${shown}`;
  steps.push(
    ['See that nothing is left:', `tidelock check${option}`],
    ...(missing.length === 0
      ? []
      : [
          [
            'See what else the tables lack, through the names and transforms of the route (indexes and foreign keys are made fastest after the load):',
            ...missing.flatMap(({ routes: named }) => named.map((route) => `tidelock schema ${route}${option}`)),
          ],
        ]),
    [
      'Let it run, and watch it from another terminal, or at http://127.0.0.1:7654:',
      `tidelock run${option}`,
      `tidelock status --watch${option}`,
    ],
  );
  const [first] = routes;
  if (first !== undefined)
    steps.push(['Once it runs, wait until the target has everything:', `tidelock wait ${first}${option}`]);
  return steps;
}

/** pg_dump leaves them out where it is told which tables. */
function madeSchemas(tables: readonly string[]): string[] {
  const schemas = new Set(tables.map((table) => pattern(table.split('.', 1))));
  return [...schemas].filter((schema) => schema !== 'public');
}

/** Names as pg_dump's patterns take them, within the shell's quotes. */
function dumped(tables: readonly string[]): string {
  if (tables.length > 20) return [...new Set(tables.map((table) => `-n '${pattern(table.split('.', 1))}'`))].join(' ');
  return tables.map((table) => `-t '${pattern(table.split('.'))}'`).join(' ');
}

function pattern(parts: readonly string[]): string {
  const quoted = parts.map((part) => (/^("|[a-z_][a-z0-9_$]*$)/.test(part) ? part : `"${part}"`));
  return quoted.join('.').replaceAll("'", `'\\''`);
}
