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
export function leftoversText({ leftovers, failed = [] }: DroppedLeftovers): string {
  if (leftovers.length === 0)
    return `nothing is left behind${failed.length === 0 ? '' : ' at the nodes that have answered'}\n`;
  return leftovers
    .map((left) => {
      const { name, parts, retainedBytes, usedBy, waitsFor = [] } = left;
      const bytes = retainedBytes > 0 ? `, ${sizeText(retainedBytes)} are kept` : '';
      const used = usedBy === null ? '' : `; in use by ${usedBy}, stays`;
      const waits =
        waitsFor.length === 0 ? '' : `; its state may be at ${waitsFor.join(', ')}, stays until that answers`;
      return `${name} at ${placeText(left)}: ${parts.join(', ')}${bytes}${used}${waits}\n`;
    })
    .join('');
}

/** What they could not do, without what was told before. */
export function failedText({ failed = [] }: DroppedLeftovers, told: DroppedLeftovers | null = null): string {
  const known = told?.failed ?? [];
  return failed
    .filter(({ node, route }) => !known.some((one) => one.node === node && one.route === route))
    .map(({ error: { code, message, remedy } }) => `${code} ${message}\n${remedy}\n`)
    .join('');
}

/** What they have done. */
export function doneText({ leftovers, journalled = true }: DroppedLeftovers): string {
  const lines = leftovers.flatMap(({ node, name, dropped, statements }) => [
    `${name} at ${node}: ${dropped ? 'dropped' : 'left'}`,
    ...statements.map((statement) => `  ${statement}`),
  ]);
  if (!journalled)
    lines.push('The journal went with the node: no other target answers that could keep an entry of this.');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
