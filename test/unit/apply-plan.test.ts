import { expect, test } from 'vitest';
import { demandApplicable } from '../../src/control/apply-plan.ts';
import type { PlanDocument, PlannedRoute } from '../../src/control/plan-routes.ts';

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
