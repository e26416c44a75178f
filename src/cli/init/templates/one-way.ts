import type { Template } from '../template.ts';

export const oneWay: Template = {
  name: 'one-way',
  summary: 'one database kept equal to another: a copy for reports, a new host, a newer version',
  targets: 'one',
  settings: [],
  routes: ({ source, targets, tables }) => targets.map((to) => ({ from: source, to, tables })),
  notes: () => [],
};
