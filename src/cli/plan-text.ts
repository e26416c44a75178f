import { styleText } from 'node:util';
import { placeText } from '../control/node-place.ts';
import type { PlanDocument, PlannedRoute } from '../control/plan-routes.ts';
import { planLines } from '../operations/plan-text.ts';

const states = {
  new: 'new, begins with the next start',
  unknown: 'was loaded by an older version: what is configured now is taken for what it was loaded with',
  unchanged: 'nothing changes',
  changed: '',
  unread: 'what would change can not be told:',
} as const;

const colourOf: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  '+': 'green',
  '-': 'red',
  '!': 'red',
  '~': 'yellow',
  '>': 'yellow',
  '=': 'yellow',
};

/** What `tidelock plan` prints. */
export function planText({ routes }: PlanDocument, colours: boolean): string {
  return routes.map((route) => routeText(route, colours)).join('');
}

function routeText(route: PlannedRoute, colours: boolean): string {
  const paint = (line: string): string => {
    const colour = colourOf[line.slice(0, 1)];
    return colours && colour !== undefined ? styleText(colour, line) : line;
  };
  const asked = route.pending ? ', asked for already' : '';
  const isRewritten = route.state === 'unchanged' && route.applied !== null && route.applied !== route.configured;
  const written = isRewritten ? ' for the tables that it carries; "tidelock apply" takes up how it is written now' : '';
  const lines = [
    `${route.name}: ${states[route.state]}${written}${route.state === 'changed' ? counts(route) : ''}${asked}`,
  ];
  lines.push(...planLines(route).map((line) => `  ${paint(line)}`));
  for (const { table, rows, more } of route.replacedRows)
    lines.push(
      `  ${more ? 'more than ' : ''}${rows.toLocaleString('en')} rows of ${table} at ${placeText(route.target)} are deleted`,
    );
  for (const { code, message, remedy } of route.problems) lines.push(`  ${code} ${message}`, `    ${remedy}`);
  return `${lines.join('\n')}\n`;
}

function counts({ tables, settings, refused }: PlannedRoute): string {
  const parts = [
    refused.length > 0 ? 'can not be changed like that' : '',
    tables.length > 0 ? `${tables.length} ${tables.length === 1 ? 'table' : 'tables'}` : '',
    settings.length > 0 ? `${settings.length} ${settings.length === 1 ? 'setting' : 'settings'}` : '',
  ];
  return parts.filter(Boolean).join(', ');
}
