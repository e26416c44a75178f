import type { PlannedRoute, TableStep } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { signOf, stepText } from './step-text.ts';

export interface PlanStepsProps {
  readonly route: PlannedRoute;
  /** Source tables whose rows at the target are to stay as they are. */
  readonly kept: readonly string[];
  /** Null where the reader may not choose. */
  readonly onKeep: ((table: string, keeps: boolean) => void) | null;
}

/** What happens to each table, then the settings. */
export function PlanSteps({ route, kept, onKeep }: PlanStepsProps) {
  const { name, tables, settings } = route;
  const canKeep = ({ action, source }: TableStep) => ['reload', 'move'].includes(action) || kept.includes(source);
  const columns: readonly Column<TableStep>[] = [
    {
      title: 'Table',
      head: true,
      cell: (step) => (
        <span class={`step step-${step.action}`}>
          <span class="sign-text" aria-hidden="true">
            {signOf(step)}
          </span>
          {step.source}
        </span>
      ),
    },
    { title: 'Step', minor: true, cell: ({ action }) => action },
    {
      title: 'What happens',
      full: true,
      cell: (step) => (
        <>
          {stepText(step)}
          {onKeep !== null && canKeep(step) && (
            <label class="check sub">
              <input
                type="checkbox"
                checked={kept.includes(step.source)}
                onChange={(event) => onKeep(step.source, event.currentTarget.checked)}
              />
              Keep the rows of {step.before ?? step.target} as they are
            </label>
          )}
        </>
      ),
    },
  ];
  return (
    <>
      {tables.length > 0 && (
        <DataTable
          caption={`Tables of ${name} that change`}
          columns={columns}
          rows={tables}
          rowKey={({ source, target }) => `${source} ${target}`}
          empty=""
          stacked
        />
      )}
      {settings.length > 0 && (
        <ul class="settings" aria-label={`Settings of ${name} that change`}>
          {settings.map((setting) => (
            <li key={setting.name}>
              <code>{setting.text}</code>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
