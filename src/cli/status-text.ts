import { styleText } from 'node:util';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import type { RouteView } from './route-view.ts';
import { tableText } from './table-text.ts';

export function statusText(routes: readonly RouteView[], colours: boolean): string {
  const rows = routes.map((route) => [
    route.name,
    route.state,
    route.health,
    lagText(route.lagMs),
    route.transactions.toLocaleString('en'),
    route.rows.toLocaleString('en'),
    String(route.collisions),
    String(route.parked),
    String(route.restarts),
    route.target.position ?? '-',
    route.source.position ?? '-',
  ]);
  const titles = [
    'ROUTE',
    'STATE',
    'HEALTH',
    'LAG>',
    'TRANSACTIONS>',
    'ROWS>',
    'COLLISIONS>',
    'PARKED>',
    'RESTARTS>',
    'APPLIED',
    'SOURCE',
  ];
  const [head = '', ...lines] = tableText(titles, rows).split('\n');
  const text = [colours ? styleText('bold', head) : head];
  for (const [at, line] of lines.entries()) {
    const route = routes[at];
    text.push(colours ? coloured(line, route) : line);
    if (route?.load) {
      const { tablesDone, tables, rows: loaded } = route.load;
      text.push(`  load: ${tablesDone} of ${tables} tables, ${loaded.toLocaleString('en')} rows`);
    }
    if (route?.parkedSince && route.reason?.code !== routeErrors.parked.code) {
      text.push(`  parked: ${route.parked}, the target is not what the source was since ${route.parkedSince}`);
    }
    if (route?.reason) {
      const { code, message, remedy } = route.reason;
      text.push(`  ${code} ${message}`);
      if (remedy !== undefined) text.push(`  ${remedy}`);
    }
  }
  return `${text.join('\n')}\n`;
}

function coloured(line: string, route: RouteView | undefined): string {
  if (route?.health === 'critical') return styleText('red', line);
  if (route?.health === 'warning') return styleText('yellow', line);
  return route?.state === 'running' ? styleText('green', line) : line;
}

function lagText(lagMs: number | null): string {
  if (lagMs === null) return '-';
  return lagMs < 10_000 ? `${Math.round(lagMs)} ms` : `${Math.round(lagMs / 1000)} s`;
}
