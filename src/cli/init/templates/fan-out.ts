import type { Template } from '../template.ts';

export const fanOut: Template = {
  name: 'fan-out',
  summary: 'one source, several targets: each has a route of its own, and none waits for another',
  targets: 'several',
  settings: [],
  routes: ({ source, targets, tables }) => targets.map((to) => ({ from: source, to, tables })),
  notes: ({ targets }) => [
    `Each of the ${targets.length} routes has a replication slot at the source: the source keeps its log for the slowest of them.`,
  ],
};
