import { place } from '../state/location.ts';
import { hrefOf, overview } from '../state/place.ts';
import { type Session, signOut } from '../state/session.ts';
import { nextTheme, themeChoice } from '../state/theme.ts';
import { helpIsOpen } from './help-dialog.tsx';
import { LiveIndicator } from './live-indicator.tsx';
import { Logo } from './logo.tsx';

const pages = [
  { to: overview, title: 'Overview' },
  { to: { page: 'journal' }, title: 'Journal' },
  { to: { page: 'plan' }, title: 'Plan' },
  { to: { page: 'check' }, title: 'Check' },
] as const;

export function PageHeader({ session }: { readonly session: Session }) {
  const { service, token } = session;
  const here = place.value.page === 'route' ? 'overview' : place.value.page;
  return (
    <header class="page-header">
      <a class="brand" href={hrefOf(overview)}>
        <Logo />
        <span>
          <strong>{service.name}</strong>
          <span class="muted brand-host" title={`Tidelock ${service.version}, process ${service.pid}`}>
            {service.host} · {service.state}
          </span>
        </span>
      </a>
      <nav aria-label="Pages">
        {pages.map(({ to, title }) => (
          <a
            key={title}
            href={hrefOf(to)}
            aria-current={here === to.page ? (place.value.page === 'route' ? 'true' : 'page') : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      <div class="header-end">
        <LiveIndicator />
        <span class="role" title="What your token may do">
          {service.role}
        </span>
        <button
          type="button"
          class="small quiet"
          onClick={nextTheme}
          aria-label={`Colours: ${themeChoice.value}. Change`}
          title="Colours (t)"
        >
          <ThemeSign />
        </button>
        <button
          type="button"
          class="small quiet wide-only"
          onClick={() => {
            helpIsOpen.value = true;
          }}
          aria-label="Keyboard keys"
          title="Keyboard keys (?)"
        >
          ?
        </button>
        {token !== null && (
          <button type="button" class="small quiet" onClick={() => signOut()}>
            Sign out
          </button>
        )}
      </div>
    </header>
  );
}

function ThemeSign() {
  const paths = {
    system: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 1.5v9a4.5 4.5 0 0 1 0-9Z',
    light:
      'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM7.3 1h1.4v2.2H7.3V1Zm0 11.8h1.4V15H7.3v-2.2ZM1 7.3h2.2v1.4H1V7.3Zm11.8 0H15v1.4h-2.2V7.3ZM2.6 3.6l1-1 1.5 1.5-1 1-1.5-1.5Zm8.3 8.3 1-1 1.5 1.5-1 1-1.5-1.5Zm1.5-9.3 1 1-1.5 1.5-1-1 1.5-1.5ZM4.1 10.9l1 1-1.5 1.5-1-1 1.5-1.5Z',
    dark: 'M6 2a6 6 0 1 0 8 8 5 5 0 0 1-8-8Z',
  };
  return (
    <svg class="icon" viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
      <path d={paths[themeChoice.value]} />
    </svg>
  );
}
