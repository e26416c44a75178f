import { useMemo } from 'preact/hooks';
import type { NodeDocument, RouteDocument } from '../api/documents.ts';
import { ScrollArea } from '../components/scroll-area.tsx';
import { isFlowing, routeTone, worstTone } from '../components/tone.ts';
import { rate } from '../format/numbers.ts';
import { duration } from '../format/times.ts';
import { words } from '../format/words.ts';
import { historyOf } from '../state/live.ts';
import { hrefOf } from '../state/place.ts';
import { currentRates } from '../state/route-history.ts';
import { layOutColumn } from './column.ts';
import { layOutLayers } from './layered.ts';
import { labelSize, nodeSize, type PlacedEdge, type PlacedNode } from './topology.ts';

export interface TopologyViewProps {
  readonly nodes: readonly NodeDocument[];
  readonly routes: readonly RouteDocument[];
  readonly narrow: boolean;
  /** What is shown is what is: nothing moves in a picture that has become old. */
  readonly live: boolean;
}

/** Scaled to the screen, but not so that it can't be read: then it is scrolled. */
const smallest = 0.72;

/** Nodes and routes, and what flows. The table of routes below says the same in words. */
export function TopologyView({ nodes, routes, narrow, live }: TopologyViewProps) {
  const shape = JSON.stringify([
    narrow,
    nodes,
    routes.map(({ name, source, target }) => [name, source.node, target.node]),
  ]);
  // Laid out anew only when nodes or routes come or go.
  const topology = useMemo(() => (narrow ? layOutColumn : layOutLayers)(nodes, routes), [shape]);
  const byName = new Map(routes.map((route) => [route.name, route]));
  return (
    <ScrollArea label="Nodes and routes" class="topology">
      <svg
        style={{ maxWidth: `${topology.width}px`, minWidth: `${topology.width * smallest}px` }}
        viewBox={`0 0 ${topology.width} ${topology.height}`}
      >
        <title>Nodes and the routes between them</title>
        <defs>
          {['ok', 'busy', 'warning', 'critical', 'rest', 'unknown'].map((tone) => (
            <marker
              key={tone}
              id={`arrow-${tone}`}
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="8"
              markerHeight="8"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path class={`arrow tone-${tone}`} d="M0 0 8 4 0 8Z" />
            </marker>
          ))}
        </defs>
        {topology.nodes.map((placed) => (
          <NodeBox {...placed} key={placed.key} />
        ))}
        {topology.edges.map((edge) => (
          <Edge
            key={edge.key}
            edge={edge}
            routes={edge.routes.map((route) => byName.get(route.name) ?? route)}
            live={live}
          />
        ))}
      </svg>
    </ScrollArea>
  );
}

function NodeBox({ node, x, y, size }: PlacedNode) {
  const isWhole = size === nodeSize;
  return (
    <g class="node" transform={`translate(${x},${y})`}>
      <title>{`${node.name}: ${node.type} at ${node.hosts.join(', ')}${node.database === '' ? '' : `/${node.database}`}`}</title>
      <rect width={size.width} height={size.height} rx="8" />
      {isWhole && (
        <>
          <path
            class="cylinder"
            d="M14 22c0-2.5 4.5-4 9-4s9 1.5 9 4v14c0 2.5-4.5 4-9 4s-9-1.5-9-4V22Zm0 0c0 2.5 4.5 4 9 4s9-1.5 9-4"
          />
          <text class="node-place" x="42" y="42">
            {clipped(placeText(node), 21)}
          </text>
        </>
      )}
      <text class="node-name" x={isWhole ? 42 : 12} y={isWhole ? 25 : size.height / 2 + 4}>
        {clipped(node.name, isWhole ? 17 : 14)}
      </text>
    </g>
  );
}

interface EdgeProps {
  readonly edge: PlacedEdge;
  readonly routes: readonly RouteDocument[];
  readonly live: boolean;
}

function Edge({ edge, routes, live }: EdgeProps) {
  const tone = worstTone(routes.map(routeTone));
  const perSecond = routes.reduce((sum, { name }) => sum + (currentRates(historyOf(name))?.rows ?? 0), 0);
  const lags = routes.flatMap(({ lagMs }) => (lagMs === null ? [] : [lagMs]));
  const flows = live && perSecond > 0 && routes.some(({ state }) => isFlowing(state));
  const [only] = routes;
  const single = routes.length === 1 && only !== undefined ? only : null;
  const title = single?.name ?? `${routes.length} routes`;
  const facts = single === null ? flowText(perSecond, lags) : routeText(single, perSecond, lags);
  const { x, y } = edge.label;
  const drawing = (
    <>
      <path class="edge-reach" d={edge.path} />
      <path class={`edge tone-${tone}`} d={edge.path} marker-end={`url(#arrow-${tone})`} />
      {flows && <path class={`flow tone-${tone} speed-${speedOf(perSecond)}`} d={edge.path} />}
      <g class="edge-label" transform={`translate(${x - labelSize.width / 2},${y - labelSize.height / 2})`}>
        <rect class={`tone-${tone}`} width={labelSize.width} height={labelSize.height} rx="6" />
        <text class="edge-name" x={labelSize.width / 2} y="17">
          {clipped(title, 25)}
        </text>{' '}
        <text class="edge-facts" x={labelSize.width / 2} y="32">
          {facts}
        </text>
      </g>
    </>
  );
  const label = `${title} ${facts}, from ${edge.from} to ${edge.to}: ${single === null ? tone : words(single.state)}`;
  const href =
    single !== null
      ? hrefOf({ page: 'route', route: single.name, section: 'overview' })
      : hrefOf({ page: 'overview', filter: `${edge.from} > ${edge.to}` });
  return (
    <a class="edge-link" href={href} aria-label={label}>
      {drawing}
    </a>
  );
}

function routeText({ state, load }: RouteDocument, perSecond: number, lags: readonly number[]): string {
  if (!isFlowing(state)) return words(state);
  if (load !== null) return `${rate(perSecond)} rows/s · table ${load.tablesDone} of ${load.tables}`;
  return flowText(perSecond, lags);
}

function flowText(perSecond: number, lags: readonly number[]): string {
  return `${rate(perSecond)} rows/s${lags.length === 0 ? '' : ` · ${duration(Math.max(...lags))}`}`;
}

/** One step for each power of ten. */
function speedOf(perSecond: number): number {
  return Math.max(1, Math.min(4, Math.floor(Math.log10(Math.max(1, perSecond))) + 1));
}

/** The host without its domain and port; all of it is in the title. */
function placeText({ type, hosts, database }: NodeDocument): string {
  const [first, ...more] = hosts;
  if (first === undefined) return type;
  const host = first.replace(/:\d+$/, '');
  const short = /^[\d.:[\]]+$/.test(host) ? host : (host.split('.')[0] ?? host);
  return `${short}${more.length > 0 ? ` +${more.length}` : ''}${database === '' ? '' : `/${database}`}`;
}

function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
