import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { nodeRefusal } from '../../src/cli/node-version.ts';

test.for(['20.20.2', '22.21.9', '22.9.0'])('Node %s is refused', (version) =>
  expect(nodeRefusal(version)).toMatchObject({ code: 'TL-1016' }),
);

test.for([manifest.engines.node.replace('>=', ''), '22.22.1', '22.100.0', '24.0.0', process.versions.node])(
  'Node %s is not',
  (version) => expect(nodeRefusal(version)).toBeNull(),
);
