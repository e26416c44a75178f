import type { RouteDocument } from '../api/documents.ts';
import { Tile } from '../components/tile.tsx';
import { counted, rate } from '../format/numbers.ts';
import { duration } from '../format/times.ts';
import { historyOf } from '../state/live.ts';
import { currentRates } from '../state/route-history.ts';

/** The deployment in five numbers. */
export function OverviewSummary({ routes }: { readonly routes: readonly RouteDocument[] }) {
  const running = routes.filter(({ state }) => state === 'running').length;
  const of = (health: string) => routes.filter((route) => route.health === health).length;
  const critical = of('critical');
  const warning = of('warning');
  const unknown = of('unknown');
  const slowest = routes.reduce<RouteDocument | null>(
    (worst, route) => ((route.lagMs ?? -1) > (worst?.lagMs ?? -1) ? route : worst),
    null,
  );
  const perSecond = routes.reduce((sum, { name }) => sum + (currentRates(historyOf(name))?.rows ?? 0), 0);
  const parked = routes.reduce((sum, route) => sum + route.parked, 0);
  const parkedRoutes = routes.filter((route) => route.parked > 0).length;
  const ill = [
    critical > 0 && `${critical} critical`,
    warning > 0 && `${warning} warning`,
    unknown > 0 && `${unknown} unknown`,
  ].filter(Boolean);
  return (
    <section aria-label="Summary" class="tiles">
      <Tile
        title="Routes running"
        value={`${running} of ${routes.length}`}
        note={running === routes.length ? 'all of them' : `${routes.length - running} not running`}
      />
      <Tile
        title="Health"
        value={ill[0] || 'ok'}
        tone={critical > 0 ? 'critical' : warning + unknown > 0 ? 'warning' : 'ok'}
        note={
          ill.length > 1
            ? `and ${ill.slice(1).join(', ')}`
            : ill.length === 1
              ? `the first ${critical + warning + unknown === 1 ? 'line' : 'lines'} below`
              : 'nothing wants you'
        }
      />
      <Tile
        title="Longest lag"
        value={slowest?.lagMs == null ? '–' : duration(slowest.lagMs)}
        note={slowest?.lagMs == null ? 'no route is running' : slowest.name}
      />
      <Tile title="Rows a second" value={rate(perSecond)} note="over all routes" />
      <Tile
        title="Parked transactions"
        value={String(parked)}
        tone={parked > 0 ? 'warning' : 'ok'}
        note={parked === 0 ? 'none' : `in ${counted(parkedRoutes, 'route')}`}
      />
    </section>
  );
}
