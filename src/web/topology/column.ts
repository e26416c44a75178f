import type { NodeDocument, RouteDocument } from '../api/documents.ts';
import {
  type DrawnEdge,
  drawnEdges,
  drawnNodes,
  labelSize,
  nodeSize,
  type PlacedNode,
  type Topology,
} from './topology.ts';

const margin = 6;
/** From one route to the next below it, and from the last to the next source. */
const routeStep = 50;
const groupGap = 18;
/** Where the line of a source goes down, and where its routes begin and end. */
const trunkX = margin + 18;
const labelX = trunkX + 16;
const arrowX = labelX + labelSize.width + 20;
const chipSize = { width: 116, height: 34 };

/** As wide as a phone: never scrolled sideways, and never so small that it can't be read. */
const columnWidth = arrowX + chipSize.width + margin;

/**
 * For a narrow screen: each source with its routes below it, and at the end of each the node that it goes to, by its name. A node that is
 * both has its place as a source further down.
 */
export function layOutColumn(nodes: readonly NodeDocument[], routes: readonly RouteDocument[]): Topology {
  const known = drawnNodes(nodes, routes);
  const bySource = Map.groupBy(drawnEdges(routes), ({ from }) => from);
  const reached = new Set(routes.map(({ target }) => target.node));
  const placed: PlacedNode[] = [];
  const edges: Topology['edges'][number][] = [];
  let y = margin;
  for (const node of known.values()) {
    const own = bySource.get(node.name) ?? [];
    // Shown where routes lead to it.
    if (own.length === 0 && reached.has(node.name)) continue;
    placed.push({ key: node.name, node, x: margin, y, size: nodeSize });
    y += nodeSize.height;
    // Each line begins where the one above it turns off: two would lie on each other in two colours.
    let from = y;
    for (const edge of own) {
      const middle = y + routeStep / 2 + 6;
      placed.push(targetOf(edge, known, middle));
      edges.push({
        ...edge,
        path: `M${trunkX},${from} V${middle - 8} Q${trunkX},${middle} ${trunkX + 8},${middle} H${arrowX}`,
        label: { x: labelX + labelSize.width / 2, y: middle },
      });
      from = middle - 8;
      y += routeStep;
    }
    y += groupGap;
  }
  return { width: columnWidth, height: Math.max(0, y - groupGap) + margin + 6, nodes: placed, edges };
}

function targetOf({ key, to }: DrawnEdge, known: ReadonlyMap<string, NodeDocument>, middle: number): PlacedNode {
  const node = known.get(to) ?? { name: to, type: 'unknown', hosts: [], database: '' };
  return { key: `${key} > ${to}`, node, x: arrowX, y: middle - chipSize.height / 2, size: chipSize };
}
