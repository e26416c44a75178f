import type { PlannedRoute } from '../api/documents.ts';
import { signOf, stateText, stepText } from './step-text.ts';

/** A plan in lines, as `tidelock plan` prints it. */
export function PlanLines({ route }: { readonly route: PlannedRoute }) {
  const state = stateText(route);
  return (
    <ul class="plan-lines">
      {state !== null && <li>{state}</li>}
      {route.tables.map((step) => (
        <li key={`${step.source} ${step.target}`} class={`step-${step.action}`}>
          <span class="sign-text" aria-hidden="true">
            {signOf(step)}
          </span>
          <span>
            <strong>{step.source}</strong> {stepText(step)}
          </span>
        </li>
      ))}
      {route.settings.map((setting) => (
        <li key={setting.name}>
          <span class="sign-text" aria-hidden="true" />
          <code>{setting.text}</code>
        </li>
      ))}
    </ul>
  );
}
