import type { LeftoversDocument } from '../api/documents.ts';
import { bytes } from '../format/numbers.ts';
import { currentService } from '../state/session.ts';
import type { Action } from './action.ts';
import { serviceFacts } from './facts.ts';

/** What bears the deployment's name and belongs to no route of the configuration. */
export function dropOrphansAction(): Action {
  return leftoverAction({
    id: 'dropOrphans',
    label: 'Drop orphans',
    subject: currentService()?.name ?? '',
    path: 'orphans',
    confirm: 'orphans',
    effect: [
      'Slots, publications and stored state that bear the name of this deployment and belong to no route of its configuration are removed. What somebody uses stays.',
    ],
  });
}

/** A node that does not answer any more, for good. */
export function forgetNodeAction(node: string): Action {
  return leftoverAction({
    id: 'dropUnreachable',
    label: 'Forget the node',
    subject: node,
    path: `nodes/${encodeURIComponent(node)}`,
    confirm: node,
    effect: [
      `What the routes of ${node} have at their other side is removed: their slots, publications and stored state. Rows stay as they are.`,
      `Take ${node} and its routes out of the configuration, too. Where ${node} comes back, what it has kept has to be removed there.`,
    ],
  });
}

function leftoverAction({
  confirm,
  ...shape
}: Pick<Action, 'id' | 'label' | 'subject' | 'path' | 'effect'> & { readonly confirm: string }): Action {
  return {
    ...shape,
    role: 'admin',
    method: 'DELETE',
    body: { confirm },
    fields: ['reason'],
    reasonNeeded: true,
    facts: serviceFacts(),
    details: null,
    rehearsed: (answer) => leftoverLines(answer as LeftoversDocument),
    typed: confirm,
    prominent: false,
  };
}

export function leftoverLines({ leftovers, failed = [] }: LeftoversDocument): string[] {
  const lines = leftovers.map(({ name, node, hosts, database, parts, retainedBytes, usedBy, waitsFor = [] }) => {
    const kept = retainedBytes > 0 ? `, for which ${bytes(retainedBytes)} are kept` : '';
    const place = `${node} (${hosts.join(', ')}${database === '' ? '' : `, database ${database}`})`;
    const used = usedBy === null ? '' : `; in use by ${usedBy}, stays`;
    const waits = waitsFor.length === 0 ? '' : `; its state may be at ${waitsFor.join(', ')}, stays until that answers`;
    return `${name} at ${place}: ${parts.join(', ')}${kept}${used}${waits}.`;
  });
  if (leftovers.length === 0)
    lines.push(`Nothing is left behind${failed.length === 0 ? '' : ' at the nodes that have answered'}.`);
  return [...lines, ...failed.map(({ error: { code, message } }) => `${code} ${message}`)];
}
