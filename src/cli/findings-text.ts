import { styleText } from 'node:util';
import type { CheckedRoute } from '../control/check-route.ts';
import { placeText } from '../control/node-place.ts';
import type { Finding } from '../core/finding.ts';

const levels = ['error', 'warning', 'info'] as const;
const colourOf = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

/** What `tidelock check` prints of a route: each side with what is found there, the worst first. */
export function findingsText({ name, findings, source, target }: CheckedRoute, colours: boolean): string {
  const errors = findings.filter(({ level }) => level === 'error').length;
  const lines = [`${name}: ${errors === 0 ? 'ready' : 'not ready'}`];
  const sides = [
    { side: 'source', place: source },
    { side: 'target', place: target },
  ];
  for (const { side, place } of sides) {
    const here = findings.filter(({ node }) => node === place.node);
    if (here.length > 0) lines.push(`  ${side} ${placeText(place)}`);
    for (const level of levels) {
      const word = colours ? styleText(colourOf[level], level) : level;
      for (const group of alike(here.filter((finding) => finding.level === level))) {
        for (const { code, message } of group) lines.push(`    ${word} ${code} ${message}`);
        const remedy = group[0]?.remedy ?? '';
        if (remedy !== '') lines.push(`      ${remedy}`);
        for (const statement of new Set(group.map((finding) => finding.statement)))
          if (statement !== undefined) lines.push(`      ${statement}`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Findings of many tables that want the same are said one after the other, with one remedy. */
function alike(findings: readonly Finding[]): Finding[][] {
  const groups = Map.groupBy(findings, ({ code, remedy }) => JSON.stringify([code, remedy]));
  return [...groups.values()];
}
