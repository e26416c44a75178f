import { styleText } from 'node:util';
import type { CheckedRoute } from '../control/check-route.ts';
import type { CheckedNode, CheckedService } from '../control/check-shared.ts';
import { placeText } from '../control/node-place.ts';
import type { Finding } from '../core/finding.ts';
import { wrapped } from './wrapped.ts';

export interface CheckStyle {
  readonly colours: boolean;
  /** Width of the terminal; null: lines have any length. */
  readonly columns: number | null;
}

type Found = Omit<Finding, 'node'>;

export interface Checked {
  readonly routes: readonly CheckedRoute[];
  readonly nodes: readonly CheckedNode[];
  readonly service: CheckedService | null;
}

const levels = ['error', 'warning', 'info'] as const;
const colourOf = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

/**
 * What `tidelock check` prints: the routes, then what they share, the worst first in each part, and a line that counts.
 * What one node says of many routes in the same words is said once.
 */
export function checkText({ routes, nodes, service }: Checked, style: CheckStyle): string {
  const lines: string[] = [];
  const heading = (text: string): void => {
    if (lines.length > 0) lines.push('');
    lines.push(style.colours ? styleText('bold', text) : text);
  };
  const fresh = onlyOnce();
  const shared = new Map<string, Finding[]>(nodes.map(({ name }) => [name, []]));
  for (const { name, ok, findings, source, target } of routes) {
    heading(`route ${name}: ${ok ? 'ready' : `not ready, ${tally(onlyOnce()(findings))}`}`);
    let lacksAny = true;
    for (const [side, place] of Object.entries({ source, target })) {
      const here = findings.filter(({ node }) => node === place.node);
      // What a setting of the server means is the node's affair, whichever routes there are.
      const own = here.filter(({ level, table }) => level !== 'info' || table !== undefined || !shared.has(place.node));
      shared.get(place.node)?.push(...here.filter((finding) => !own.includes(finding)));
      const told = fresh(own);
      if (told.length > 0) lines.push(`  ${side} ${placeText(place)}`);
      if (told.some(({ level }) => level === 'error')) lacksAny = false;
      lines.push(...findingLines(told, style, 4));
    }
    if (!ok && lacksAny) lines.push('  as above');
  }
  for (const { name, findings, place } of nodes) {
    const told = fresh<Found>([...findings, ...(shared.get(name) ?? [])], name);
    const about = told.find(({ code }) => code === 'node.server');
    const rest = told.filter((finding) => finding !== about);
    heading(`node ${placeText(place)}${rest.some(({ level }) => level !== 'info') ? `: ${tally(rest)}` : ''}`);
    if (about !== undefined) lines.push(...wrapped(about.message, { indent: 2, columns: style.columns }));
    lines.push(...findingLines(rest, style, 2));
  }
  if (service !== null && service.findings.length > 0) {
    heading(`service: ${tally(service.findings) || 'ready'}`);
    lines.push(...findingLines(service.findings, style, 2));
  }
  lines.push('', summary({ routes, nodes, service }, style));
  return `${lines.join('\n')}\n`;
}

/** Leaves out what was said in the same words before, of the same node. */
function onlyOnce(): <F extends Found>(findings: readonly F[], node?: string) => F[] {
  const said = new Set<string>();
  return (findings, node) =>
    findings.filter((finding) => {
      const { level, code, message, statement } = finding;
      const at = 'node' in finding ? finding.node : (node ?? null);
      const words = JSON.stringify([at, level, code, message, statement]);
      const isFresh = !said.has(words);
      said.add(words);
      return isFresh;
    });
}

function findingLines(findings: readonly Found[], { colours, columns }: CheckStyle, indent: number): string[] {
  const lines: string[] = [];
  for (const level of levels)
    for (const group of alike(findings.filter((finding) => finding.level === level))) {
      for (const { code, message } of group) {
        const [first = '', ...more] = wrapped(`${level} ${code} ${message}`, { indent, columns, hang: 2 });
        lines.push(colours ? first.replace(level, styleText(colourOf[level], level)) : first);
        lines.push(...more);
      }
      const remedy = group[0]?.remedy ?? '';
      if (remedy !== '') lines.push(...wrapped(remedy, { indent: indent + 2, columns }));
      // As they are, so that they can be copied: a terminal breaks them without a newline.
      for (const statement of new Set(group.map((finding) => finding.statement)))
        if (statement !== undefined)
          lines.push(...statement.split('\n').map((line) => `${' '.repeat(indent + 2)}${line}`));
    }
  return lines;
}

/** Findings of many tables that want the same are said one after the other, with one remedy. */
function alike(findings: readonly Found[]): Found[][] {
  return [...Map.groupBy(findings, ({ code, remedy }) => JSON.stringify([code, remedy])).values()];
}

function tally(findings: readonly Found[]): string {
  const count = (level: Finding['level']): number => findings.filter((finding) => finding.level === level).length;
  return [counted(count('error'), 'error'), counted(count('warning'), 'warning')].filter(Boolean).join(', ');
}

const counted = (count: number, what: string): string =>
  count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;

function summary({ routes, nodes, service }: Checked, { colours }: CheckStyle): string {
  const fresh = onlyOnce();
  const findings = [
    ...routes.flatMap((route) => fresh(route.findings)),
    ...nodes.flatMap((node) => fresh(node.findings, node.name)),
    ...(service?.findings ?? []),
  ];
  const blocked = new Set(nodes.filter(({ ok }) => !ok).map(({ name }) => name));
  const ready = routes.filter(({ ok, source, target }) => ok && !blocked.has(source.node) && !blocked.has(target.node));
  const isGood = ready.length === routes.length && blocked.size === 0 && (service?.ok ?? true);
  // A route is looked at where its nodes answer.
  const count =
    routes.length === 0 && blocked.size > 0
      ? 'no route could be looked at'
      : `${ready.length} of ${routes.length} ${routes.length === 1 ? 'route is' : 'routes are'} ready`;
  const text = `${count}; ${tally(findings) || 'nothing to mend'}`;
  return colours ? styleText(isGood ? 'green' : 'red', text) : text;
}
