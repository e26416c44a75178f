import type { DroppedLeftovers } from '../control/drop-left.ts';
import type { DroppedRoute } from '../control/drop-route.ts';
import { placeText } from '../control/node-place.ts';
import { sizeText } from '../core/quantity-text.ts';
import { counted } from './counted.ts';

/** What `tidelock drop ROUTE` is about to do. */
export function consequencesText({ route, source, target, queue, tables, targetTables, parked }: DroppedRoute): string {
  const lines = [
    `${route}:`,
    `  at ${placeText(source)}: ${queueText(queue)}`,
    `  at ${placeText(target)}: the state of ${counted(tables, 'table')} in tidelock; rows stay${tables === 0 ? '' : `: ${targetTables.join(', ')}`}`,
  ];
  if (parked > 0) lines.push(`  and ${counted(parked, 'parked transaction')}, lost for good`);
  return `${lines.join('\n')}\n`;
}

function queueText({ name, parts, given, state, retainedBytes }: DroppedRoute['queue']): string {
  const kept = `${state}, ${retainedBytes === null ? '' : `${sizeText(retainedBytes)} kept`}`.replace(/, $/, '');
  const going = parts.map((part) => (part === 'capture' ? 'capture of commands' : part));
  const list = going.length > 1 ? `${going.slice(0, -1).join(', ')} and ${going.at(-1)}` : going.join('');
  if (given) return `slot ${name} (${kept}) was given, and stays${list === '' ? '' : `; the route's ${list} goes`}`;
  return list === '' ? 'nothing that is kept for this route alone' : `${list} ${name} (${kept})`;
}

/** What `tidelock drop --orphans` and `--unreachable` have found. */
export function leftoversText({ leftovers }: DroppedLeftovers): string {
  if (leftovers.length === 0) return 'nothing is left behind\n';
  return leftovers
    .map((left) => {
      const { name, parts, retainedBytes, usedBy } = left;
      const bytes = retainedBytes > 0 ? `, ${sizeText(retainedBytes)} are kept` : '';
      return `${name} at ${placeText(left)}: ${parts.join(', ')}${bytes}${usedBy === null ? '' : `; in use by ${usedBy}, stays`}\n`;
    })
    .join('');
}

/** What they have done. */
export function doneText({ leftovers, journalled = true }: DroppedLeftovers): string {
  const lines = leftovers.flatMap(({ node, name, dropped, statements }) => [
    `${name} at ${node}: ${dropped ? 'dropped' : 'left'}`,
    ...statements.map((statement) => `  ${statement}`),
  ]);
  if (!journalled)
    lines.push('The journal went with the node: no other target is there that could keep an entry of this.');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
