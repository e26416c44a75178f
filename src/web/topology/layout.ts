import { Graph, layout } from '@dagrejs/dagre';
import type { NodeDocument, RouteDocument } from '../api/documents.ts';

export interface PlacedNode {
  readonly node: NodeDocument;
  /** The upper left corner. */
  readonly x: number;
  readonly y: number;
}

/** One route, or all of one pair of nodes where there are too many to tell apart. */
export interface PlacedEdge {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly routes: readonly RouteDocument[];
  readonly path: string;
  /** The middle of the label. */
  readonly label: { readonly x: number; readonly y: number };
}

export interface Topology {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export const nodeSize = { width: 180, height: 58 };
export const labelSize = { width: 168, height: 40 };
/** With more routes than this, those of one pair of nodes are one edge. */
const singleEdges = 14;

/**
 * Where nodes and routes are drawn: sources left (or above), targets right. Depends on names only, so that nothing
 * moves while numbers do.
 */
export function layOut(
  nodes: readonly NodeDocument[],
  routes: readonly RouteDocument[],
  direction: 'LR' | 'TB',
): Topology {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: direction, nodesep: 26, ranksep: 64, edgesep: 14, marginx: 8, marginy: 8 });
  const known = new Map(nodes.map((node) => [node.name, node]));
  for (const { source, target } of routes) {
    for (const { node: name } of [source, target]) {
      if (!known.has(name)) known.set(name, { name, type: 'unknown', hosts: [], database: '' });
    }
  }
  for (const name of known.keys()) graph.setNode(name, { ...nodeSize });
  const groups = Map.groupBy(routes, ({ name, source, target }) =>
    routes.length > singleEdges ? JSON.stringify([source.node, target.node]) : name,
  );
  for (const [key, group] of groups) {
    const [first] = group;
    if (first === undefined) continue;
    graph.setEdge(first.source.node, first.target.node, { ...labelSize, labelpos: 'c' }, key);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    nodes: [...known.values()].map((node) => {
      const { x = 0, y = 0 } = graph.node(node.name);
      return { node, x: x - nodeSize.width / 2, y: y - nodeSize.height / 2 };
    }),
    edges: [...groups].flatMap(([key, group]) => {
      const [first] = group;
      if (first === undefined) return [];
      const { source, target } = first;
      const { points = [], x = 0, y = 0 } = graph.edge(source.node, target.node, key);
      return [{ key, from: source.node, to: target.node, routes: group, path: pathThrough(points), label: { x, y } }];
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
