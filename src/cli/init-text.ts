import { relative } from 'node:path';
import { styleText } from 'node:util';
import { placeText } from '../control/node-place.ts';
import { type CheckStyle, checkText } from './check-text.ts';
import { grantsText } from './grants-text.ts';
import { type InitDocument, missingTables } from './init/carry-out.ts';
import { wrapped } from './wrapped.ts';

const largeTables =
  'Indexes and foreign keys of large tables are made faster once the load is through: "tidelock schema ROUTE --apply before" now and "--apply after" then, both as the user whom the tables belong to.';

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
  if (missingTables(document).length > 0)
    lines.push('', ...wrapped(largeTables, { indent: 0, columns: style.columns }));
  for (const note of notes) lines.push('', ...wrapped(note, { indent: 0, columns: style.columns }));
  return `${lines.join('\n')}\n`;
}

/** Each a sentence, and the commands for it. */
function nextSteps(
  document: InitDocument,
  { shown, hasGrants }: { readonly shown: string; readonly hasGrants: boolean },
): string[][] {
  const { variables, check, routes, user } = document;
  const option = shown === 'tidelock.yaml' ? '' : ` -c ${shown}`;
  const making = missingTables(document).map(({ node, tables, routes: of }) => {
    const count = `${tables.length} ${tables.length === 1 ? 'table' : 'tables'}`;
    const whom =
      user === null
        ? 'The user of the address needs CREATE on the database, and on schemas that are there'
        : 'They belong to the user of the address, who is an administrator now';
    return [
      `Make the ${count} that ${node} lacks, with what ${tables.length === 1 ? 'it needs' : 'they need'} of types and partitions, keys and indexes. ${whom}:`,
      ...of.map((route) => `tidelock schema ${route} --apply all${option}`),
    ];
  });
  const unset = variables.filter(({ administrator }) => administrator !== null);
  const asAdministrator =
    making.length === 0 || unset.length === 0
      ? []
      : [
          [
            'Set the variables that the file refers to, for as long as you work as an administrator:',
            ...unset.map(({ name, administrator }) => `export ${name}='${administrator}'`),
          ],
        ];
  const hasFindings = check?.nodes.some(({ ok }) => !ok) || check?.routes.some(({ ok }) => !ok);
  // Not all that is found is mended by a statement: a table that has rows, or another route's.
  const granting = hasGrants
    ? [['Run the statements above at the nodes, as an administrator.']]
    : hasFindings
      ? [['Mend what is found above; where it is a statement, as an administrator.']]
      : [];
  const setting =
    variables.length === 0
      ? []
      : [
          [
            `Set the variables that the file refers to, with the passwords${user === null ? '' : ` of ${user}`}:`,
            ...variables.map(({ name, example }) => `export ${name}='${example}'`),
          ],
        ];
  const steps: string[][] =
    user === null ? [...setting, ...granting, ...making] : [...asAdministrator, ...making, ...granting, ...setting];
  steps.push(
    ['See that nothing is left:', `tidelock check${option}`],
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
