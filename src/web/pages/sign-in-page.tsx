import { useId, useState } from 'preact/hooks';
import type { ApiError } from '../api/api-error.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Logo } from '../components/logo.tsx';
import { signIn } from '../state/session.ts';

export function SignInPage({ error }: { readonly error: ApiError | null }) {
  const [token, setToken] = useState('');
  const [keep, setKeep] = useState(false);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (token.trim() === '') return;
    setBusy(true);
    await signIn(token.trim(), { keep });
    setBusy(false);
  };
  return (
    <main class="sign-in">
      <form class="panel" onSubmit={(event) => void submit(event)}>
        <h1>
          <Logo /> Tidelock
        </h1>
        <div class="field">
          <label for={id}>Access token</label>
          <input
            id={id}
            type="password"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
            required
            aria-describedby={`${id}-help`}
            autofocus
          />
          <p id={`${id}-help`} class="muted">
            One of <code>service.api.tokens</code>. Its role says what you may do.
          </p>
        </div>
        <label class="check">
          <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />
          Stay signed in until this tab is closed
        </label>
        {error !== null && (
          <ErrorNotice error={error} what={error.status === 401 ? 'Not a token of this service.' : 'Not signed in.'} />
        )}
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
