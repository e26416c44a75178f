import { signal } from '@preact/signals';
import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { notify } from '../state/announcements.ts';
import { ask } from '../state/session.ts';
import type { Action } from './action.ts';
import { ActionFields } from './action-fields.tsx';
import { bodyOf, emptyFields, faultOf } from './field-values.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { type Rehearsal, useRehearsal } from './use-rehearsal.ts';

interface Asked {
  readonly action: Action;
  readonly done: (answer: unknown) => void;
}

/** What is about to be confirmed; null where nothing is. */
const asked = signal<Asked | null>(null);

/** Opens the confirmation. `done` is called with the answer after the service has said yes. */
export function confirmAction(action: Action, done: (answer: unknown) => void = () => {}): void {
  asked.value = { action, done };
}

/** Names host, route and effect; asks for what the action needs. Once in the page. */
export function ActionDialog() {
  const open = asked.value;
  if (open === null) return null;
  return <Confirmation key={`${open.action.subject} ${open.action.label}`} {...open} />;
}

function Confirmation({ action, done }: Asked) {
  const { label, subject, fields, reasonNeeded } = action;
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState(emptyFields);
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  /** Of what was done and leaves something to do. */
  const [left, setLeft] = useState<Outcome | null>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const body = { ...action.body, ...bodyOf(fields, values) };
  const rehearsal = useRehearsal(action, body);
  const close = () => {
    dialog.current?.close();
    asked.value = null;
  };

  const reason = values.reason.trim();
  const ready =
    !busy &&
    (rehearsal.kind === 'none' || rehearsal.kind === 'told') &&
    fields.every((field) => faultOf(field, values) === null) &&
    (!fields.includes('newName') || values.newName.trim() !== '') &&
    (!reasonNeeded || reason !== '') &&
    (action.typed === null || typed === action.typed);

  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    setError(null);
    try {
      const answer = await ask<unknown>(action.path, {
        method: action.method,
        body: { ...body, ...(reason !== '' && { reason }) },
      });
      const outcome = outcomeOf(action, answer);
      if (outcome.statements.length > 0) setLeft(outcome);
      else {
        notify(`${subject}: ${outcome.text}`, outcome.asMeant ? 'done' : 'warning');
        close();
      }
      done(answer);
    } catch (caught) {
      setError(caught instanceof ApiError ? caught : new ApiError(0, { message: String(caught) }));
      setBusy(false);
    }
  };

  return (
    <dialog
      ref={dialog}
      class={action.typed === null ? '' : 'destructive'}
      aria-labelledby={`${id}-title`}
      onClose={close}
    >
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={`${id}-title`}>
          {label}: {subject}
        </h2>
        {left !== null ? (
          <Left outcome={left} close={close} />
        ) : (
          <>
            <dl class="facts">
              {action.facts.map(({ name, value }) => (
                <Fact key={name} name={name} value={value} />
              ))}
            </dl>
            {action.effect.map((sentence) => (
              <p key={sentence}>{sentence}</p>
            ))}
            {action.details}
            <Told rehearsal={rehearsal} />
            <ActionFields action={action} values={values} onChange={setValues} typed={typed} onTyped={setTyped} />
            {error !== null && <ErrorNotice error={error} what="Not done." />}
            <div class="buttons">
              <button type="button" onClick={close}>
                Cancel
              </button>
              <button type="submit" class={action.typed === null ? 'primary' : 'danger'} disabled={!ready}>
                {busy ? 'Asking…' : `${label} ${subject}`}
              </button>
            </div>
          </>
        )}
      </form>
    </dialog>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

/** What the service says that it would do. */
function Told({ rehearsal }: { readonly rehearsal: Rehearsal }) {
  switch (rehearsal.kind) {
    case 'none':
      return null;
    case 'asking':
      return <p class="muted">Asking what would be done…</p>;
    case 'refused':
      return <ErrorNotice error={rehearsal.error} what="Can’t be done now." />;
    case 'told':
      return (
        <ul class="rehearsal" aria-label="What would be done">
          {rehearsal.lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      );
  }
}

/** What is left for an administrator: it must not vanish with a message in the corner. */
function Left({ outcome, close }: { readonly outcome: Outcome; readonly close: () => void }) {
  const text = outcome.statements.join('\n');
  return (
    <>
      <p role="status">Done: {outcome.text}.</p>
      <div class="statement">
        <pre>
          <code>{text}</code>
        </pre>
        <CopyButton text={text} what="statements" />
      </div>
      <div class="buttons">
        <button type="button" class="primary" onClick={close}>
          Close
        </button>
      </div>
    </>
  );
}
