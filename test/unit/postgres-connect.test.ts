import { expect, test } from 'vitest';
import { clientConfig } from '../../connectors/postgres/connect.ts';

test('queries are not compiled: servers that can would do so with those of the catalogue, which takes them longer than the queries', () => {
  const settings = { hosts: [], database: 'd', user: 'u', password: undefined, tls: { mode: 'off' } } as const;
  const { options } = clientConfig(settings, { host: 'h', port: 5432 }, { applicationName: 'a' });
  expect(options?.split(' -c ')).toContain('jit=off');
});
