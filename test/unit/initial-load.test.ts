import { expect, test } from 'vitest';
import { type InitialLoadOptions, initialLoad } from '../../src/operations/initial-load.ts';

test('a route whose given slot is not there halts before anything is stored', async () => {
  const options = {
    definition: { name: 'r', given: { slot: 'theirs', publication: 'theirs' }, load: { mode: 'none' } },
    source: { identity: async () => ({}), queuePosition: async () => null },
  };
  await expect(initialLoad(options as unknown as InitialLoadOptions)).rejects.toMatchObject({
    code: 'TL-4107',
    recovery: 'halt',
    place: { route: 'r' },
  });
});
