import { expect, test } from 'vitest';
import { typeText } from '../../connectors/postgres/target/type-fit.ts';

test.for([
  ['pg_catalog.int4', -1, 'int4'],
  ['pg_catalog.numeric', 786438, 'numeric(12,2)'],
  ['pg_catalog.numeric', ((5 << 16) | (-2 & 0x7ff)) + 4, 'numeric(5,-2)'],
  ['pg_catalog.numeric[]', 524294, 'numeric(8,2)[]'],
  ['pg_catalog.varchar', 14, 'varchar(10)'],
  ['pg_catalog.timestamptz', 0, 'timestamptz(0)'],
  ['public.geometry', 7, 'public.geometry (modifier 7)'],
] as const)('messages name %s with modifier %d as people do', ([type, modifier, text]) => {
  expect(typeText({ type, modifier })).toBe(text);
});
