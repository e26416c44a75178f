import { styleText } from 'node:util';
import stringWidth from 'string-width';
import type { RouteTable } from '../control/read-tables.ts';
import type { RouteView } from '../control/route-view.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { supervisionErrors } from '../core/errors/catalogue/supervision.ts';
import { durationText, sizeText } from '../core/quantity-text.ts';
import { loadLines, speedParts, waitTexts } from './load/load-text.ts';
import { tableText } from './table-text.ts';
import { wrapped } from './wrapped.ts';

export interface StatusStyle {
  readonly colours: boolean;
  /** Width of the terminal; null where there is none, and lines may have any length. */
  readonly columns: number | null;
  readonly nowMs: number;
}

/** A route, and its tables where somebody has asked for them. */
export interface StatusRow extends RouteView {
  readonly tables?: readonly RouteTable[];
}

/** How long a restart is worth a line of its own. */
const restartShownMs = 3_600_000;

const often = supervisionErrors.restartsOften.code;

/** Of a load: the others wait. */
const mostTables = 8;

interface StatusColumn {
  readonly title: string;
  readonly text: (route: RouteView) => string;
  /** Goes to a line of its own below the route where the terminal is too narrow for all; 2: where it is still too narrow then. */
  readonly low?: 1 | 2;
}

const columns: readonly StatusColumn[] = [
  { title: 'ROUTE', text: (route) => route.name },
  { title: 'STATE', text: (route) => route.state },
  { title: 'HEALTH', text: (route) => route.health },
  { title: 'LAG>', text: (route) => lagText(route.lagMs) },
  { title: 'TRANSACTIONS>', text: (route) => route.transactions.toLocaleString('en'), low: 2 },
  { title: 'ROWS>', text: (route) => route.rows.toLocaleString('en') },
  // A service of an older version does not tell.
  { title: 'LOADED>', text: (route) => (route.loadedRows ?? 0).toLocaleString('en'), low: 2 },
  { title: 'COLLISIONS>', text: (route) => String(route.collisions), low: 1 },
  { title: 'PARKED>', text: (route) => String(route.parked), low: 1 },
  { title: 'RESTARTS>', text: (route) => String(route.restarts), low: 1 },
  // Neither does one of an older version.
  { title: 'ENGINE', text: ({ engine }) => (engine == null ? '-' : `${engine.host} (${engine.pid})`), low: 1 },
  { title: 'APPLIED', text: (route) => route.target.position ?? '-', low: 1 },
  { title: 'SOURCE', text: (route) => route.source.position ?? '-', low: 1 },
];

export function statusText(routes: readonly StatusRow[], style: StatusStyle): string {
  const { shown, below } = chosenColumns(routes, style.columns);
  const [head = '', ...lines] = table(shown, routes, style.columns);
  const text = [style.colours ? styleText('bold', head) : head];
  for (const [at, route] of routes.entries()) {
    const line = lines[at] ?? '';
    text.push(style.colours ? coloured(line, route) : line);
    if (below.length > 0) text.push(...belowLines(below, route, style.columns));
    if (route.load) {
      const { tablesDone, tables, rows, bytes, loading = [], waits, rowsPerSecond = null, leftMs = null } = route.load;
      const speed = bytes === undefined ? [] : [sizeText(bytes), ...speedParts({ rowsPerSecond, leftMs })];
      const rests = waits === undefined ? '' : `, ${waitTexts[waits]}`;
      text.push(
        `  load: ${tablesDone} of ${tables} tables, ${rows.toLocaleString('en')} rows${bytes === undefined ? '' : ' read'}${speed.map((part) => `, ${part}`).join('')}${rests}`,
      );
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
    const restart = restartText(route, style.nowMs);
    if (restart !== null) text.push(...wrapped(restart, { indent: 2, columns: style.columns }));
    if (route.tables !== undefined) text.push(...tableLines(route.tables, style.columns));
  }
  return `${text.join('\n')}\n`;
}

/** Null where it was long ago, or is told already. */
function restartText({ restarted, restarts, reason, concerns }: RouteView, nowMs: number): string | null {
  if (restarted === null) return null;
  const { code, message } = restarted.reason;
  const agoMs = nowMs - Date.parse(restarted.at);
  const isTold = reason?.message === message || concerns.some((concern) => concern.code === often);
  if (agoMs >= restartShownMs || isTold) return null;
  return `started again ${durationText(agoMs)} ago (restart ${restarts}): ${code} ${message}`;
}

function tableLines(tables: readonly RouteTable[], columns: number | null): string[] {
  if (tables.length === 0) return ['  tables: none yet; they are known once the route has begun'];
  const rows = tables.map(({ source, target, loadedTo, ignored }) => [
    source,
    target,
    loadedTo ?? '-',
    ignored.join(', ') || '-',
  ]);
  const text = tableText(
    ['TABLE', 'AT THE TARGET', 'LOADED TO!', 'LEFT OUT'],
    rows,
    columns === null ? null : columns - 2,
  );
  return text.split('\n').map((line) => `  ${line}`);
}

/** As many as fit, those that matter most; names of routes give way only where even the fewest are too wide. */
function chosenColumns(
  routes: readonly RouteView[],
  width: number | null,
): { readonly shown: readonly StatusColumn[]; readonly below: readonly StatusColumn[] } {
  const choices = [0, 1, 2].map((level) => columns.filter(({ low = 3 }) => low > level));
  const fits = (choice: readonly StatusColumn[]): boolean =>
    width === null || table(choice, routes, null).every((line) => stringWidth(line) <= width);
  const shown = choices.find(fits) ?? choices.at(-1) ?? columns;
  return { shown, below: columns.filter((column) => !shown.includes(column)) };
}

function table(shown: readonly StatusColumn[], routes: readonly RouteView[], width: number | null): string[] {
  const rows = routes.map((route) => shown.map(({ text }) => text(route)));
  return tableText(
    shown.map(({ title }) => title),
    rows,
    width,
  ).split('\n');
}

/** "collisions 0, parked 0": what is counted is never parted from its number. */
function belowLines(below: readonly StatusColumn[], route: RouteView, width: number | null): string[] {
  const parts = below.map(({ title, text }) => `${title.replace('>', '').toLowerCase()}\u00a0${text(route)}`);
  return wrapped(parts.join(', '), { indent: 2, columns: width }).map((line) => line.replaceAll('\u00a0', ' '));
}

function coloured(line: string, route: RouteView): string {
  if (route.health === 'critical') return styleText('red', line);
  if (route.health === 'warning') return styleText('yellow', line);
  return route.state === 'running' ? styleText('green', line) : line;
}

function lagText(lagMs: number | null): string {
  if (lagMs === null) return '-';
  return lagMs < 10_000 ? `${Math.round(lagMs)} ms` : durationText(lagMs);
}
