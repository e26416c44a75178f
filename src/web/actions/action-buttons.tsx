import type { RouteDocument } from '../api/documents.ts';
import { may } from '../state/session.ts';
import type { Action } from './action.ts';
import { confirmAction } from './action-dialog.tsx';
import { Menu } from './menu.tsx';
import { routeActions } from './route-actions.ts';

/** What may be asked of the route by who looks; nothing for a viewer. */
export function ActionButtons({ route }: { readonly route: RouteDocument }) {
  const actions = routeActions(route).filter(({ role }) => may(role));
  if (actions.length === 0) return null;
  const button = (action: Action) => (
    <button
      key={action.id}
      type="button"
      class={action.typed !== null ? 'danger-quiet' : action.id === 'start' || action.id === 'resume' ? 'primary' : ''}
      onClick={() => confirmAction(action)}
    >
      {action.label}…
    </button>
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for inputs.
    <div class="actions" role="group" aria-label={`Actions on ${route.name}`}>
      {actions.filter(({ prominent }) => prominent).map(button)}
      <Menu title="More">{actions.filter(({ prominent }) => !prominent).map(button)}</Menu>
    </div>
  );
}
