import { expect, test } from 'vitest';
import { isAwaited, isNamed, parseStandbyNames } from '../../connectors/postgres/source/standby-names.ts';
import type { RouteDefinition } from '../../src/core/route.ts';

const route = { deployment: 'prod', name: 'a-to-b' } as RouteDefinition;

test.for([
  ['', 0, [], false],
  ['  ', 0, [], false],
  ['s1', 1, ['s1'], false],
  ['"prod/a-to-b"', 1, ['prod/a-to-b'], true],
  ['s1, "Prod/A-to-B"', 1, ['s1', 'Prod/A-to-B'], true],
  ['FIRST 2 (s1, "prod/a-to-b", s3)', 2, ['s1', 'prod/a-to-b', 's3'], true],
  ['any 1 ( * )', 1, ['*'], true],
  ['2 (s1,s2)', 2, ['s1', 's2'], false],
  ['"a ""quoted"" one, (with) all"', 1, ['a "quoted" one, (with) all'], false],
  ['first', 1, ['first'], false],
] as const)('synchronous_standby_names = %s', ([setting, count, names, named]) => {
  const parsed = parseStandbyNames(setting);
  expect(parsed).toEqual({ count, names });
  expect(isNamed(route, parsed)).toBe(named);
});

test.for([
  ['s1', [{ sync_state: 'sync' }], false],
  ['"prod/a-to-b"', [{ sync_state: 'sync' }], true],
  ['ANY 1 (*)', [{ sync_state: 'quorum' }], true],
  ['s1, "prod/a-to-b"', [{ sync_state: 'potential' }], false],
  // The walsender has not read the setting yet.
  ['"prod/a-to-b"', [{ sync_state: 'async' }], true],
  // It does not stream yet, or its state is not told to this user.
  ['"prod/a-to-b"', [], true],
] as const)('whether COMMITs wait: %j, of which the server tells %j', async ([names, rows, awaited]) => {
  const client = {
    query: async (text: string) => ({ rows: text.includes('current_setting') ? [{ names }] : [...rows] }),
  };
  expect(await isAwaited(client, route)).toBe(awaited);
});
