import { expect, test } from 'vitest';
import type { MysqlSession } from '../../connectors/mysql/connect.ts';
import { acquire as acquireAtMysql } from '../../connectors/mysql/state/lease.ts';
import { underStateLock } from '../../connectors/mysql/state/state-schema.ts';
import { acquire as acquireAtPostgres } from '../../connectors/postgres/state/lease.ts';

const route = { routeId: 1, routeKey: 'test/r', route: 'r', holder: { supervisor: 's', host: 'h', pid: 1 } };

/** As servers tell that a lock was waited for in vain. */
const locked = {
  postgres: Object.assign(new Error('lock'), { code: '55P03', severity: 'ERROR' }),
  mysql: Object.assign(new Error('lock'), { errno: 1205, sqlState: 'HY000' }),
};

test.for(['postgres', 'mysql'] as const)(
  'a route whose row stays locked is given up for a while, with the claim kept alive: %s',
  async (vendor) => {
    let raises = 0;
    let kept = 0;
    const at = (text: string): readonly unknown[] => {
      if (/epoch = (r\.)?epoch \+ 1/.test(text)) {
        raises++;
        throw locked[vendor];
      }
      if (/^\s*update tidelock\.leases set expires_at/.test(text)) kept++;
      return vendor === 'postgres' ? [{ claim: '2', raised: false }] : ['2', '0'];
    };
    const client = { query: async (text: string) => ({ rows: [at(text)] }) };
    const session = { query: async (text: string) => [at(text)], change: async (text: string) => at(text).length };
    const acquired =
      vendor === 'postgres'
        ? acquireAtPostgres({ ...route, client: client as never }, true, async () => {})
        : acquireAtMysql({ ...route, session: session as never }, true, async () => {});
    await expect(acquired).rejects.toMatchObject({ code: 'TL-4003', recovery: 'retry', place: { route: 'r' } });
    expect([raises, kept]).toEqual([5, 4]);
  },
);

test('state that another engine is making is left to it', async () => {
  const asked: string[] = [];
  const session = {
    query: async (text: string) => {
      asked.push(text);
      return [['0']];
    },
  };
  const made = underStateLock(session as unknown as MysqlSession, 'there', async () => asked.push('made'));
  await expect(made).rejects.toMatchObject({ code: 'TL-4019', recovery: 'retry', place: { node: 'there' } });
  expect(asked).toEqual([expect.stringContaining('get_lock')]);
});
