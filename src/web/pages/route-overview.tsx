import { useEffect, useMemo, useState } from 'preact/hooks';
import type { MetricsDocument, PositionDocument, RouteDocument } from '../api/documents.ts';
import { lagPoints, ratePoints, since } from '../charts/series.ts';
import { TimeChart } from '../charts/time-chart.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { Panel } from '../components/panel.tsx';
import { Tile } from '../components/tile.tsx';
import { bytes, count, counted, rate } from '../format/numbers.ts';
import { duration } from '../format/times.ts';
import { historyOf, liveStatus } from '../state/live.ts';
import { currentRates } from '../state/route-history.ts';
import { useDocument } from '../state/use-document.ts';
import { LoadPanel } from './load-panel.tsx';

const spans = [
  { title: '5 min', ms: 300_000 },
  { title: '15 min', ms: 900_000 },
  { title: '1 h', ms: 3_600_000 },
];

const perSecond = (value: number) => `${rate(value)}/s`;

export function RouteOverview({ route }: { readonly route: RouteDocument }) {
  const path = `routes/${encodeURIComponent(route.name)}`;
  const metrics = useDocument<MetricsDocument>(`${path}/metrics`, { everyMs: 10_000 });
  const position = useDocument<PositionDocument>(`${path}/position`, { everyMs: 15_000 });
  const [spanMs, setSpanMs] = useState(spans[1]?.ms ?? 900_000);
  const history = historyOf(route.name);
  const atMs = liveStatus.value?.atMs ?? 0;
  useEffect(() => {
    if (metrics.document !== null) history.remember(metrics.document.history);
  }, [metrics.document, history]);

  // The samples change in place, with the status.
  const points = useMemo(() => {
    const fromMs = Date.now() - spanMs;
    const retained = (metrics.document?.history ?? []).map(({ at, retainedBytes }) => ({
      atMs: Date.parse(at),
      value: retainedBytes,
    }));
    return {
      lag: since(lagPoints(history), fromMs),
      rows: since(ratePoints(history, 'rows'), fromMs),
      transactions: since(ratePoints(history, 'transactions'), fromMs),
      retained: since(retained, fromMs),
    };
  }, [history, atMs, spanMs, metrics.document]);
  const rates = currentRates(history);
  const { loadedRows = 0 } = route;
  const retained = position.document?.queue.retainedBytes ?? metrics.document?.retainedBytes ?? null;
  return (
    <>
      <section aria-label="Numbers" class="tiles">
        <Tile
          title="Lag"
          value={route.lagMs === null ? '–' : duration(route.lagMs)}
          note="source commit to target commit"
        />
        <Tile
          title="Rows a second"
          value={rates === null ? '–' : rate(rates.rows)}
          note={`${count(route.rows)} in all${loadedRows === 0 ? '' : `, ${count(loadedRows)} loaded`}`}
        />
        <Tile
          title="Transactions a second"
          value={rates === null ? '–' : rate(rates.transactions)}
          note={`${count(route.transactions)} in all`}
        />
        <Tile title="Kept at the source" value={retained === null ? '–' : bytes(retained)} note="for this route" />
        <Tile title="Collisions" value={count(route.collisions)} note={counted(route.restarts, 'restart')} />
      </section>
      {route.load !== null && <LoadPanel load={route.load} />}
      <Panel
        title="Lag and rates"
        aside={
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is for inputs.
          <div class="segmented" role="group" aria-label="Time shown">
            {spans.map(({ title, ms }) => (
              <button key={ms} type="button" aria-pressed={ms === spanMs} onClick={() => setSpanMs(ms)}>
                {title}
              </button>
            ))}
          </div>
        }
      >
        {metrics.error !== null && <p class="muted">Nothing of before: {metrics.error.message}</p>}
        <div class="charts">
          <TimeChart title="Lag" points={points.lag} format={duration} />
          <TimeChart title="Rows" points={points.rows} format={perSecond} />
          <TimeChart title="Transactions" points={points.transactions} format={perSecond} />
          <TimeChart title="Kept at the source" points={points.retained} format={bytes} />
        </div>
      </Panel>
      <Positions route={route} position={position.document} />
    </>
  );
}

function Positions({ route, position }: { readonly route: RouteDocument; readonly position: PositionDocument | null }) {
  return (
    <Panel title="Positions">
      <dl class="facts wide">
        <dt>End of the log at {route.source.node}</dt>
        <dd>
          <Place text={position?.source ?? route.source.position} />
        </dd>
        <dt>Queue at {route.source.node}</dt>
        <dd>
          <Place text={position?.queue.position ?? null} />
          {position !== null && <span class="muted"> {position.queue.state}</span>}
        </dd>
        <dt>Checkpoint at {route.target.node}</dt>
        <dd>
          <Place text={position?.checkpoint ?? route.target.position} />
        </dd>
        {route.parkedSince !== null && (
          <>
            <dt>
              {route.target.node} is not what {route.source.node} was since
            </dt>
            <dd>
              <Place text={route.parkedSince} />
            </dd>
          </>
        )}
      </dl>
    </Panel>
  );
}

function Place({ text }: { readonly text: string | null }) {
  if (text === null) return <span class="muted">none</span>;
  return (
    <>
      <code>{text}</code> <CopyButton text={text} what="position" />
    </>
  );
}
