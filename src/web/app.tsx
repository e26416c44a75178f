import { useEffect, useRef } from 'preact/hooks';
import { ActionDialog } from './actions/action-dialog.tsx';
import { HelpDialog } from './components/help-dialog.tsx';
import { CutNotice, ProblemNotice } from './components/live-indicator.tsx';
import { Notices } from './components/notices.tsx';
import { PageHeader } from './components/page-header.tsx';
import { CheckPage } from './pages/check-page.tsx';
import { JournalPage } from './pages/journal-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';
import { RoutePage } from './pages/route-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { PlanPage } from './plan/plan-page.tsx';
import { announcement } from './state/announcements.ts';
import { followLive, liveness, stopFollowing } from './state/live.ts';
import { place } from './state/location.ts';
import { hrefOf, overview, type Place } from './state/place.ts';
import { type Session, sessionState } from './state/session.ts';
import { useShortcuts } from './state/use-shortcuts.ts';

export function App() {
  const state = sessionState.value;
  if (state.kind === 'checking') return <p class="empty">Asking the service…</p>;
  if (state.kind === 'signedOut') return <SignInPage error={state.error} />;
  return <Console session={state.session} />;
}

function Console({ session }: { readonly session: Session }) {
  const main = useRef<HTMLElement>(null);
  const where = place.value;
  useEffect(() => {
    followLive(session);
    return stopFollowing;
  }, [session]);
  useShortcuts();
  useTitle(where, session);
  useFocusOnMove(where, main);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        To the content
      </button>
      <PageHeader session={session} />
      <CutNotice />
      <ProblemNotice />
      <main ref={main} id="main" tabIndex={-1} class={liveness.value.kind === 'cut' ? 'is-old' : ''}>
        {pageOf(where)}
      </main>
      <div class="hidden" aria-live="polite">
        {announcement.value}
      </div>
      <Notices />
      <ActionDialog />
      <HelpDialog />
    </>
  );
}

function pageOf(where: Place) {
  switch (where.page) {
    case 'overview':
      return <OverviewPage filter={where.filter} />;
    case 'journal':
      return <JournalPage />;
    case 'plan':
      return <PlanPage />;
    case 'check':
      return <CheckPage />;
    case 'route':
      return <RoutePage key={where.route} name={where.route} section={where.section} />;
    case 'unknown':
      return (
        <>
          <h1>Nothing is here</h1>
          <p>
            <a href={hrefOf(overview)}>Overview</a>
          </p>
        </>
      );
  }
}

function useTitle(where: Place, { service }: Session): void {
  const page = where.page === 'route' ? where.route : where.page;
  useEffect(() => {
    document.title = `${page} · ${service.name} · Tidelock`;
  }, [page, service.name]);
}

/** Whoever moves by keyboard or ear starts at the top of the new page, but not when it is opened. */
function useFocusOnMove(where: Place, main: { readonly current: HTMLElement | null }): void {
  const page = where.page === 'route' ? `route ${where.route}` : where.page;
  const last = useRef(page);
  useEffect(() => {
    if (last.current === page) return;
    last.current = page;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [page, main]);
}
