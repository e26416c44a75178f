import type { NodeDocument, RouteDocument } from '../api/documents.ts';

export interface PlacedNode {
  readonly key: string;
  readonly node: NodeDocument;
  /** The upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly size: Size;
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

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const nodeSize: Size = { width: 180, height: 58 };
export const labelSize: Size = { width: 168, height: 40 };

/** With more routes than this, those of one pair of nodes are one edge. */
const singleEdges = 14;

export interface DrawnEdge extends Pick<PlacedEdge, 'key' | 'from' | 'to' | 'routes'> {}

/** What is drawn as one edge. */
export function drawnEdges(routes: readonly RouteDocument[]): readonly DrawnEdge[] {
  const groups = Map.groupBy(routes, ({ name, source, target }) =>
    routes.length > singleEdges ? JSON.stringify([source.node, target.node]) : name,
  );
  return [...groups].flatMap(([key, group]) => {
    const [first] = group;
    return first === undefined ? [] : [{ key, from: first.source.node, to: first.target.node, routes: group }];
  });
}

/** By name, with those that only a route knows: the configuration may have changed meanwhile. */
export function drawnNodes(
  nodes: readonly NodeDocument[],
  routes: readonly RouteDocument[],
): ReadonlyMap<string, NodeDocument> {
  const known = new Map(nodes.map((node) => [node.name, node]));
  for (const { source, target } of routes) {
    for (const { node: name } of [source, target]) {
      if (!known.has(name)) known.set(name, { name, type: 'unknown', hosts: [], database: '' });
    }
  }
  return known;
}
