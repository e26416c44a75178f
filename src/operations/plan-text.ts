import type { RoutePlan, TableStep } from './plan-route.ts';

/** A plan in lines, without the route's name: what happens to each table, then the settings. */
export function planLines(plan: RoutePlan): string[] {
  const { tables, settings } = plan;
  const width = Math.max(0, ...tables.map(({ source }) => source.length));
  return [
    ...refusalLines(plan).map((why) => `! ${why}`),
    ...tables.map((step) => `${signs[step.action]} ${step.source.padEnd(width)}  ${whatHappens(step)}`),
    ...settings.map(({ text }) => `  ${text}`),
  ];
}

/** Why the route can't be changed like that. */
export function refusalLines({ refused }: RoutePlan): string[] {
  return refused.map((what) => refusals[what]);
}

const signs = { add: '+', drop: '-', move: '>', reload: '~', remap: '=' } as const;

const refusals = {
  source: 'the source node is another database: drop the route and begin it anew under another name',
  slot: 'a route keeps its slot: put the key back, or drop the route and begin it anew',
  publication: 'a route keeps its publication: put the key back, or drop the route and begin it anew',
} as const;

function whatHappens(step: TableStep): string {
  const { target } = step;
  switch (step.action) {
    case 'add':
      if (!step.loads) return `followed into ${target}, without a load`;
      return `loaded into ${target}${replacing(step.replaced)}`;
    case 'drop':
      return `no longer followed; the rows of ${target} stay`;
    case 'move':
      return `loaded into ${target}${replacing(step.replaced)}; the rows of ${step.before} stay`;
    case 'reload':
      return `${step.changed.join(', ')}: loaded again, the rows of ${target} are replaced`;
    case 'remap':
      return step.before === target
        ? `${step.changed.join(', ')}: only what comes later; the rows of ${target} stay as they are`
        : `from now on to ${target}; the rows of ${step.before} stay`;
  }
}

function replacing(tables: readonly string[]): string {
  return tables.length === 0 ? '' : `, in place of the rows of ${tables.join(', ')}`;
}
