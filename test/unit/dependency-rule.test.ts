import { expect, test } from 'vitest';
import { forbiddenImports, importsOf } from '../support/dependency-rule.ts';

test('dependencies point one way', () => {
  expect(forbiddenImports()).toEqual([]);
});

test.for([
  ['src/core/cell.ts', 'src/pipeline/route-meter.ts'],
  ['src/core/cell.ts', 'pg'],
  ['src/pipeline/route-meter.ts', 'src/operations/initial-load.ts'],
  ['src/operations/initial-load.ts', 'src/supervisor/backoff.ts'],
  ['src/supervisor/backoff.ts', 'src/cli/main.ts'],
  ['src/supervisor/backoff.ts', 'connectors/postgres/lsn.ts'],
  ['src/config/read-configuration.ts', 'src/pipeline/route-meter.ts'],
  ['connectors/postgres/lsn.ts', 'src/pipeline/route-meter.ts'],
  ['connectors/postgres/lsn.ts', 'connectors/mysql/gtid.ts'],
  ['transforms/mask.ts', 'connectors/postgres/lsn.ts'],
  ['src/cli/main.ts', 'connectors/postgres/lsn.ts'],
] as const)('%s must not import %s', ([from, to]) => {
  expect(forbiddenImports(new Map([[from, [to]]]))).toEqual([`${from} imports ${to}`]);
});

test('every way of importing is seen', () => {
  const source = `import a from './a.ts';
import type { B } from "../b/b.ts";
import './c.ts';
export { d } from './d.ts';
export * from './e.ts';
const f = await import('./f.ts');
import {
  g,
} from 'g';
type H = import('./h.ts').H;`;
  expect(importsOf('src/x/y.ts', source)).toEqual([
    'src/x/a.ts',
    'src/b/b.ts',
    'src/x/c.ts',
    'src/x/d.ts',
    'src/x/e.ts',
    'src/x/f.ts',
    'g',
    'src/x/h.ts',
  ]);
});
