import { Graph, layout } from '@dagrejs/dagre';
import type { NodeDocument, RouteDocument } from '../api/documents.ts';
import { drawnEdges, drawnNodes, labelSize, nodeSize, type Topology } from './topology.ts';

/**
 * Where nodes and routes are drawn: sources left, targets right. Depends on names only, so that nothing moves while numbers do.
 */
export function layOutLayers(nodes: readonly NodeDocument[], routes: readonly RouteDocument[]): Topology {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 26, ranksep: 64, edgesep: 14, marginx: 8, marginy: 8 });
  const known = drawnNodes(nodes, routes);
  const edges = drawnEdges(routes);
  for (const name of known.keys()) graph.setNode(name, { ...nodeSize });
  for (const { key, from, to } of edges) graph.setEdge(from, to, { ...labelSize, labelpos: 'c' }, key);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    nodes: [...known.values()].map((node) => {
      const { x = 0, y = 0 } = graph.node(node.name);
      return { key: node.name, node, x: x - nodeSize.width / 2, y: y - nodeSize.height / 2, size: nodeSize };
    }),
    edges: edges.map((edge) => {
      const { points = [], x = 0, y = 0 } = graph.edge(edge.from, edge.to, edge.key);
      return { ...edge, path: pathThrough(points), label: { x, y } };
    }),
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A smooth line through the middles of its pieces. */
function pathThrough(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (first === undefined || last === undefined) return '';
  const bends = rest.slice(0, -1).map((point, at) => {
    const next = rest[at + 1] ?? last;
    const isLast = at === rest.length - 2;
    const end = isLast ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    return `Q${round(point)} ${round(end)}`;
  });
  return `M${round(first)} ${bends.length === 0 ? `L${round(last)}` : bends.join(' ')}`;
}

function round({ x, y }: Point): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}
