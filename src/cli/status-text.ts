import { styleText } from 'node:util';
import type { RouteView } from '../control/route-view.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { loadLines, waitTexts } from './load/load-text.ts';
import { tableText } from './table-text.ts';
import { wrapped } from './wrapped.ts';

export interface StatusStyle {
  readonly colours: boolean;
  /** Width of the terminal; null where there is none, and lines may have any length. */
  readonly columns: number | null;
}

/** Of a load: the others wait. */
const mostTables = 8;

interface StatusColumn {
  readonly title: string;
  readonly text: (route: RouteView) => string;
  /** Goes to a line of its own below the route where the terminal is too narrow for all. */
  readonly low?: boolean;
}

const columns: readonly StatusColumn[] = [
  { title: 'ROUTE', text: (route) => route.name },
  { title: 'STATE', text: (route) => route.state },
  { title: 'HEALTH', text: (route) => route.health },
  { title: 'LAG>', text: (route) => lagText(route.lagMs) },
  { title: 'TRANSACTIONS>', text: (route) => route.transactions.toLocaleString('en') },
  { title: 'ROWS>', text: (route) => route.rows.toLocaleString('en') },
  // A service of an older version does not tell.
  { title: 'LOADED>', text: (route) => (route.loadedRows ?? 0).toLocaleString('en') },
  { title: 'COLLISIONS>', text: (route) => String(route.collisions), low: true },
  { title: 'PARKED>', text: (route) => String(route.parked), low: true },
  { title: 'RESTARTS>', text: (route) => String(route.restarts), low: true },
  { title: 'APPLIED', text: (route) => route.target.position ?? '-', low: true },
  { title: 'SOURCE', text: (route) => route.source.position ?? '-', low: true },
];

export function statusText(routes: readonly RouteView[], style: StatusStyle): string {
  const wide = table(columns, routes);
  const fits = style.columns === null || wide.every((line) => line.length <= (style.columns ?? 0));
  const [head = '', ...lines] = fits
    ? wide
    : table(
        columns.filter(({ low }) => !low),
        routes,
      );
  const text = [style.colours ? styleText('bold', head) : head];
  for (const [at, route] of routes.entries()) {
    const line = lines[at] ?? '';
    text.push(style.colours ? coloured(line, route) : line);
    if (!fits) text.push(`  ${lowColumns(route)}`);
    if (route.load) {
      const { tablesDone, tables, rows: loaded, loading = [], waits } = route.load;
      const rests = waits === undefined ? '' : `, ${waitTexts[waits]}`;
      text.push(`  load: ${tablesDone} of ${tables} tables, ${loaded.toLocaleString('en')} rows${rests}`);
      const shown = loadLines(loading.slice(0, mostTables), { bars: style.columns !== null, colours: style.colours });
      text.push(...shown.map((line) => `    ${line}`));
      if (loading.length > mostTables) text.push(`    and ${loading.length - mostTables} more`);
    }
    if (route.parkedSince && route.reason?.code !== routeErrors.parked.code)
      text.push(`  parked: ${route.parked}, the target is not what the source was since ${route.parkedSince}`);
    const concerns = route.concerns.filter(({ code }) => code !== route.reason?.code);
    for (const { code, message, remedy } of [...(route.reason ? [route.reason] : []), ...concerns])
      for (const sentence of [`${code} ${message}`, remedy])
        if (sentence !== undefined) text.push(...wrapped(sentence, { indent: 2, columns: style.columns }));
  }
  return `${text.join('\n')}\n`;
}

function table(shown: readonly StatusColumn[], routes: readonly RouteView[]): string[] {
  const rows = routes.map((route) => shown.map(({ text }) => text(route)));
  return tableText(
    shown.map(({ title }) => title),
    rows,
  ).split('\n');
}

function lowColumns(route: RouteView): string {
  return columns
    .filter(({ low }) => low)
    .map(({ title, text }) => `${title.replace('>', '').toLowerCase()} ${text(route)}`)
    .join(', ');
}

function coloured(line: string, route: RouteView): string {
  if (route.health === 'critical') return styleText('red', line);
  if (route.health === 'warning') return styleText('yellow', line);
  return route.state === 'running' ? styleText('green', line) : line;
}

function lagText(lagMs: number | null): string {
  if (lagMs === null) return '-';
  return lagMs < 10_000 ? `${Math.round(lagMs)} ms` : `${Math.round(lagMs / 1000)} s`;
}
