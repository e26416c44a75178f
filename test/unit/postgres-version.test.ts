import { expect, test } from 'vitest';
import type { Queryable } from '../../connectors/postgres/source/sessions.ts';
import { checkStart } from '../../connectors/postgres/source/start-check.ts';

/** Answers each query as a server of this version answers what version it is. */
function serverOf(number: number, text: string): Queryable {
  return { query: async () => ({ rows: [{ number, text }] }) } as unknown as Queryable;
}

function start(server: Queryable): Promise<unknown> {
  const options = { route: { from: { name: 'source' }, ddl: 'replicate' }, start: { position: '0/1' } };
  return checkStart(server, options as unknown as Parameters<typeof checkStart>[1]);
}

test('a source before PostgreSQL 14 is refused with its version and the oldest that will do', async () => {
  const refused = start(serverOf(130_023, '13.23'));
  await expect(refused).rejects.toMatchObject({ code: 'TL-5007' });
  await expect(refused).rejects.toThrow('node source: version 13.23 is not supported, the oldest that is is 14');
});

test('the first release of PostgreSQL 14 is not', async () => {
  await expect(start(serverOf(140_000, '14.0'))).rejects.not.toMatchObject({ code: 'TL-5007' });
});
