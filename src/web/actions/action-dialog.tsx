import { signal } from '@preact/signals';
import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';
import type { NodeDocument, RouteDocument } from '../api/documents.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { parseDuration } from '../format/times.ts';
import { notify } from '../state/announcements.ts';
import { ask, currentService } from '../state/session.ts';
import type { Action } from './action.ts';
import { outcomeOf } from './outcome.ts';

interface Asked {
  readonly action: Action;
  readonly route: RouteDocument;
  readonly done: () => void;
}

/** What is about to be confirmed; null where nothing is. */
const asked = signal<Asked | null>(null);

/** Opens the confirmation. `done` is called after the service has said yes. */
export function confirmAction(action: Action, route: RouteDocument, done: () => void = () => {}): void {
  asked.value = { action, route, done };
}

/** Names host, route and effect; asks for what the action needs. Once in the page. */
export function ActionDialog() {
  const open = asked.value;
  if (open === null) return null;
  return <Confirmation key={`${open.route.name} ${open.action.label}`} {...open} />;
}

function Confirmation({ action, route, done }: Asked) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [duration, setDuration] = useState('');
  const [withEarlier, setWithEarlier] = useState(false);
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => {
    dialog.current?.close();
    asked.value = null;
  };

  const durationMs = duration.trim() === '' ? null : parseDuration(duration);
  const durationIsWrong = duration.trim() !== '' && durationMs === null;
  const ready =
    !busy &&
    !durationIsWrong &&
    (!action.reasonNeeded || reason.trim() !== '') &&
    (!action.destructive || typed === route.name);

  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    setError(null);
    try {
      const answer = await ask<unknown>(action.path, {
        method: 'POST',
        body: {
          ...action.body,
          ...(reason.trim() !== '' && { reason: reason.trim() }),
          ...(durationMs !== null && { forMs: durationMs }),
          ...(withEarlier && { withEarlier }),
        },
      });
      const { text, asMeant } = outcomeOf(action, answer);
      notify(`${route.name}: ${text}`, asMeant ? 'done' : 'warning');
      close();
      done();
    } catch (caught) {
      setError(caught instanceof ApiError ? caught : new ApiError(0, { message: String(caught) }));
      setBusy(false);
    }
  };

  const service = currentService();
  return (
    <dialog
      ref={dialog}
      class={action.destructive ? 'destructive' : ''}
      aria-labelledby={`${id}-title`}
      onClose={close}
    >
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={`${id}-title`}>
          {action.label}: {route.name}
        </h2>
        <dl class="facts">
          <dt>Route</dt>
          <dd>{route.name}</dd>
          <dt>Source</dt>
          <dd>{placeText(route.source.node, service?.nodes)}</dd>
          <dt>Target</dt>
          <dd>{placeText(route.target.node, service?.nodes)}</dd>
          <dt>Service</dt>
          <dd>
            {service?.name} on {service?.host}
          </dd>
        </dl>
        {action.effect.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {action.fields.includes('duration') && (
          <div class="field">
            <label for={`${id}-duration`}>For how long (such as 30m or 2h; empty: until it is resumed)</label>
            <input
              id={`${id}-duration`}
              value={duration}
              onInput={(event) => setDuration(event.currentTarget.value)}
              aria-invalid={durationIsWrong}
              autocomplete="off"
            />
            {durationIsWrong && <p class="wrong">A number and a unit: s, m, h or d.</p>}
          </div>
        )}
        {action.fields.includes('withEarlier') && (
          <label class="check">
            <input
              type="checkbox"
              checked={withEarlier}
              onChange={(event) => setWithEarlier(event.currentTarget.checked)}
            />
            Also those that they wait for
          </label>
        )}
        {action.fields.includes('reason') && (
          <div class="field">
            <label for={`${id}-reason`}>Why, for the journal{action.reasonNeeded ? '' : ' (optional)'}</label>
            <input
              id={`${id}-reason`}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
              required={action.reasonNeeded}
              maxLength={500}
              autocomplete="off"
            />
          </div>
        )}
        {action.destructive && (
          <div class="field">
            <label for={`${id}-typed`}>
              To confirm, type the route's name: <code>{route.name}</code>
            </label>
            <input
              id={`${id}-typed`}
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
            />
          </div>
        )}
        {error !== null && <ErrorNotice error={error} what="Not done." />}
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={action.destructive ? 'danger' : 'primary'} disabled={!ready}>
            {busy ? 'Asking…' : `${action.label} ${route.name}`}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function placeText(name: string, nodes: readonly NodeDocument[] = []): string {
  const node = nodes.find((one) => one.name === name);
  if (node === undefined) return name;
  const database = node.database === '' ? '' : `/${node.database}`;
  return `${name} (${node.type} at ${node.hosts.join(', ')}${database})`;
}
