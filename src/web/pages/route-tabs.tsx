import { useEffect, useRef } from 'preact/hooks';
import type { RouteDocument } from '../api/documents.ts';
import { hrefOf, type RouteSection, routeSections } from '../state/place.ts';

const titles: Readonly<Record<RouteSection, string>> = {
  overview: 'Overview',
  tables: 'Tables',
  parked: 'Parked',
  jobs: 'Jobs',
  journal: 'Journal',
  check: 'Check',
  schema: 'Schema',
};

/** The parts of a route's page. Where they are wider than the screen the row fades at the side that it can be scrolled to. */
export function RouteTabs({ route, section }: { readonly route: RouteDocument; readonly section: RouteSection }) {
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    const { current } = row;
    const chosen = current?.querySelector<HTMLElement>('[aria-current]');
    if (current == null || chosen == null) return;
    // Not scrollIntoView, which would scroll the page, too.
    current.scrollLeft = chosen.offsetLeft - (current.clientWidth - chosen.offsetWidth) / 2;
  }, [section]);
  useEffect(() => {
    const { current } = row;
    if (current === null) return;
    const look = () => {
      const left = current.scrollWidth - current.clientWidth - current.scrollLeft;
      current.classList.toggle('more-before', current.scrollLeft > 4);
      current.classList.toggle('more-after', left > 4);
    };
    const sized = new ResizeObserver(look);
    sized.observe(current);
    current.addEventListener('scroll', look, { passive: true });
    return () => {
      sized.disconnect();
      current.removeEventListener('scroll', look);
    };
  }, []);
  return (
    <nav class="sections" aria-label={`Parts of ${route.name}`} ref={row}>
      {routeSections.map((one) => (
        <a
          key={one}
          href={hrefOf({ page: 'route', route: route.name, section: one })}
          aria-current={one === section ? 'page' : undefined}
        >
          {titles[one]}
          {one === 'parked' && route.parked > 0 && <span class="pill">{route.parked}</span>}
        </a>
      ))}
    </nav>
  );
}
