import { expect, test } from 'vitest';
import { demandApplicable } from '../../src/control/apply-plan.ts';
import { type PlanDocument, type PlannedRoute, planDocument } from '../../src/control/plan-routes.ts';
import type { RouteReader } from '../../src/control/route-readings.ts';
import { ConfigurationFiles, withRoute } from '../support/configuration-files.ts';

function plan(route: Partial<PlannedRoute>): PlanDocument {
  const target = { node: 'there', hosts: ['h:1'], database: 'd' };
  const nothing = { tables: [], settings: [], refused: [], replacedRows: [], problems: [] };
  const changed = {
    name: 'a',
    state: 'changed',
    applied: 'x',
    configured: 'y',
    pending: false,
    needsConsent: false,
  } as const;
  return { version: 1, fingerprint: 'seen', changes: true, routes: [{ ...nothing, ...changed, target, ...route }] };
}

const refusal = (route: Partial<PlannedRoute>, agreed: string | null): unknown => {
  try {
    demandApplicable(plan(route), agreed);
    return null;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
};

test('another plan than the one that is named is not carried out, also where nobody has to agree', () => {
  expect(refusal({}, 'seen')).toBeNull();
  expect(refusal({}, 'another')).toBe('TL-4134');
  // Nobody has named one.
  expect(refusal({}, null)).toBeNull();
  expect(refusal({ needsConsent: true }, null)).toBe('TL-4134');
  // What was asked for already is only waited for, and what is done is done.
  expect(refusal({ needsConsent: true, pending: true }, 'another')).toBeNull();
  expect(refusal({ state: 'unchanged' }, 'another')).toBeNull();
});

test('a change that can not be carried out is refused with what is in its way', () => {
  expect(refusal({ refused: ['source'] }, 'seen')).toBe('TL-4131');
});

test('tables whose rows are to be kept, and that nobody would load again, are named', async () => {
  using files = new ConfigurationFiles();
  const route = files.load(withRoute('tables: [public.t]')).routes.demand('r', 'route');
  // Nothing is stored about it: it has nothing that could be kept.
  const reader = { store: async () => null } as unknown as RouteReader;
  await expect(planDocument([route], [], reader)).resolves.toMatchObject({ routes: [{ name: 'r', state: 'new' }] });
  await expect(planDocument([route], ['public.u', 'public.t'], reader)).rejects.toMatchObject({
    code: 'TL-4133',
    place: { route: 'r', tables: 'public.u, public.t' },
  });
});
