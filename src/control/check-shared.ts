import type { Configuration } from '../config/configuration.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Finding } from '../core/finding.ts';
import type { ClockOffset, NodeUse } from '../core/node-inspector.ts';
import { durationText } from '../core/quantity-text.ts';
import type { NodeDefinition } from '../core/route.ts';
import { connectorFor } from '../registry.ts';
import { checkService } from './check-service.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';

export interface CheckedNode {
  readonly name: string;
  /** No finding keeps a route from running. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly place: NodePlace;
}

export interface CheckedService {
  readonly ok: boolean;
  readonly findings: readonly Omit<Finding, 'node'>[];
}

/** Beside the routes in `check --json`: each server with all that use it, and the service itself. */
export interface SharedCheck {
  readonly nodes: readonly CheckedNode[];
  readonly service: CheckedService;
}

const clockLimitMs = 2_000;

/** Of the nodes of these routes, and of how all routes of the configuration use them. A node that can't be asked is a finding. */
export async function checkShared(
  configuration: Configuration,
  { names, listens = false }: { readonly names: readonly string[]; readonly listens?: boolean },
): Promise<SharedCheck> {
  const all = [...configuration.routes.values()];
  const chosen = all.filter(({ name }) => names.includes(name));
  const nodes = new Map(chosen.flatMap(({ from, to }) => [from, to]).map((node) => [node.name, node]));
  const clocks = new Map<string, ClockOffset>();
  const checked = await Promise.all(
    [...nodes.values()].map(async (node) => {
      const use = {
        sources: all.filter(({ from }) => from.name === node.name),
        targets: all.filter(({ to }) => to.name === node.name),
      };
      return { node, findings: await nodeFindings(node, use, clocks) };
    }),
  );
  return {
    nodes: checked.map(({ node, findings }) => {
      const ofClocks = chosen
        .filter(({ to }) => to.name === node.name)
        .flatMap(({ from, to }) => clocksApart(from.name, to.name, clocks));
      const found = [...findings, ...new Map(ofClocks.map((finding) => [finding.message, finding])).values()];
      const ok = found.every(({ level }) => level !== 'error');
      return { name: node.name, ok, findings: found, place: placeOfNode(node) };
    }),
    service: await checkService(configuration, { listens }),
  };
}

async function nodeFindings(
  node: NodeDefinition,
  use: NodeUse,
  clocks: Map<string, ClockOffset>,
): Promise<readonly Finding[]> {
  try {
    const { clock, findings } = await connectorFor(node.type).inspector(node).check(use);
    clocks.set(node.name, clock);
    return findings;
  } catch (error) {
    if (!(error instanceof TidelockError) || error.recovery === 'usage') throw error;
    const { code, message, remedy } = error;
    return [{ level: 'error', code, node: node.name, message, remedy }];
  }
}

/** Two databases that are compared by their times, by whoever reads both. */
function clocksApart(from: string, to: string, clocks: ReadonlyMap<string, ClockOffset>): Finding[] {
  const [a, b] = [clocks.get(from), clocks.get(to)];
  if (a === undefined || b === undefined) return [];
  const apartMs = Math.abs(a.offsetMs - b.offsetMs);
  if (apartMs - a.errorMs - b.errorMs <= clockLimitMs) return [];
  return [
    {
      level: 'warning',
      code: 'node.clocksApart',
      node: to,
      message: `its clock and that of ${from} are ${durationText(apartMs)} apart`,
      remedy: 'Let both hosts follow a time server (chrony, systemd-timesyncd).',
    },
  ];
}
