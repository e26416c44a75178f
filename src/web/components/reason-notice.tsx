import type { RouteDocument } from '../api/documents.ts';
import { ToneSign } from './badge.tsx';
import { CopyButton } from './copy-button.tsx';
import { healthTone, stateTone } from './tone.ts';

/** Why the route is as it is, and what to do. */
export function ReasonNotice({ route }: { readonly route: RouteDocument }) {
  const { reason, health, state } = route;
  if (reason === null) return null;
  const tone = healthTone(health) === 'ok' ? stateTone(state) : healthTone(health);
  return (
    <section class={`notice tone-${tone}`} aria-label="Reason">
      <ToneSign tone={tone} />
      <div>
        <p>
          <code>{reason.code}</code> <strong>{reason.message}</strong>
        </p>
        {reason.remedy !== undefined && reason.remedy !== '' && <p>{reason.remedy}</p>}
        {reason.transaction !== undefined && (
          <p class="muted">
            Transaction <code>{reason.transaction.id}</code>
            {reason.transaction.position !== null && (
              <>
                {' '}
                at <code>{reason.transaction.position}</code>
              </>
            )}{' '}
            <CopyButton text={reason.transaction.id} what="transaction" />
          </p>
        )}
      </div>
    </section>
  );
}
