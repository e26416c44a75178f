import { dismiss, notices } from '../state/announcements.ts';
import { ToneSign } from './badge.tsx';

/** What has come of an action, for some seconds. */
export function Notices() {
  return (
    <div class="notices" role="status">
      {notices.value.map(({ id, text, kind }) => (
        <div key={id} class="toast">
          <ToneSign tone={kind === 'done' ? 'ok' : 'warning'} />
          <span>{text}</span>
          <button type="button" class="small quiet" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
