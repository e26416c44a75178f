import type { PlannedRoute } from '../api/documents.ts';
import { FindingItem } from '../components/finding-item.tsx';
import { Panel } from '../components/panel.tsx';
import { counted } from '../format/numbers.ts';
import { hrefOf } from '../state/place.ts';
import { PlanSteps } from './plan-steps.tsx';

const stateText: Readonly<Record<string, string>> = {
  new: 'Begins with the next start',
  unknown: 'What it did before is not known: what is configured now is taken for it',
  changed: 'Changes',
};

const refusalText: Readonly<Record<string, string>> = {
  source: 'The source node is another database: drop the route and begin it anew under another name.',
  slot: 'A route keeps its slot: put the key back, or drop the route and begin it anew.',
  publication: 'A route keeps its publication: put the key back, or drop the route and begin it anew.',
};

/** What would be done to one route, and what keeps it from being done. */
export function PlannedPanel({ route }: { readonly route: PlannedRoute }) {
  const { name, state, refused, problems, replacedRows, pending, needsConsent } = route;
  const href = hrefOf({ page: 'route', route: name, section: 'overview' });
  return (
    <Panel title={name} aside={<a href={href}>Show the route</a>}>
      <p class="muted">
        {stateText[state] ?? state}
        {pending && '; agreed to, and not carried out yet'}
        {needsConsent && !pending && '; wants consent'}.
      </p>
      {refused.map((what) => (
        <p key={what} class="tone-text-critical">
          {refusalText[what] ?? what}
        </p>
      ))}
      <PlanSteps route={route} />
      {replacedRows.length > 0 && (
        <p class="tone-text-warning">
          Rows that go:{' '}
          {replacedRows
            .map(({ table, rows, more }) => `${more ? 'more than ' : ''}${counted(rows, 'row')} of ${table}`)
            .join(', ')}
          .
        </p>
      )}
      {problems.length > 0 && (
        <ul class="findings">
          {problems.map((finding) => (
            <FindingItem key={`${finding.code} ${finding.message}`} {...finding} />
          ))}
        </ul>
      )}
    </Panel>
  );
}
