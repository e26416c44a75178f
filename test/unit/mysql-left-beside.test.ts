import { expect, test } from 'vitest';
import type { MysqlSession } from '../../connectors/mysql/connect.ts';
import { readLeftBeside } from '../../connectors/mysql/schema/left-beside.ts';

const tables = [{ schema: 'shop', name: 'orders' }];

/** What is listed of a database where the user sees nothing but tables, under these grants. */
async function listed(...grants: string[]): Promise<string[]> {
  const answer = (text: string): string[][] => (text === 'show grants' ? grants.map((grant) => [grant]) : []);
  const session = { query: async (text: string) => answer(text) } as unknown as MysqlSession;
  return (await readLeftBeside(session, tables)).map(
    ({ kind, name, why }) => `${kind} ${name}: ${/lacks [A-Z ]+/.exec(why ?? '')?.[0]}`,
  );
}

test('what the user may not see is told, in place of a list that reads as if there were nothing', async () => {
  const views = 'views of shop: lacks SHOW VIEW';
  const others = ['triggers of shop: lacks TRIGGER', 'routines of shop: lacks EXECUTE', 'events of shop: lacks EVENT'];
  expect(
    await listed('GRANT REPLICATION SLAVE ON *.* TO `t`@`%`', 'GRANT SELECT ON `shop`.`orders` TO `t`@`%`'),
  ).toEqual([views, ...others]);
  expect(await listed('GRANT SELECT ON `shop`.* TO `t`@`%`')).toEqual(others);
  expect(await listed('GRANT SELECT ON `other`.* TO `t`@`%`')).toEqual([views, ...others]);
  expect(await listed('GRANT SHOW VIEW, TRIGGER, ALTER ROUTINE, EVENT ON `shop`.* TO `t`@`%`')).toEqual([]);
  expect(await listed('GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION')).toEqual([]);
});
