import { expect, test } from 'vitest';
import { preflight } from '../../../connectors/mysql/source/preflight/preflight.ts';
import { withSession } from '../../../connectors/mysql/with-session.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { startMysql } from '../../support/mysql.ts';
import { BinlogReading, endOf, mysqlRoute } from './binlog-reading.ts';

const cascading = `CREATE DATABASE d; CREATE TABLE d.parent (id int PRIMARY KEY);
  CREATE TABLE d.child (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES d.parent (id) ON DELETE CASCADE);
  INSERT INTO d.parent VALUES (1), (2); INSERT INTO d.child VALUES (1, 1), (2, 2)`;

/** What the server logs of children, and what a preflight says of it: they have to agree. */
test.each([
  { vendor: 'mysql', settings: {}, isLogged: true },
  { vendor: 'mysql', settings: { 'innodb-native-foreign-keys': 'ON' }, isLogged: false },
  { vendor: 'mariadb', settings: {}, isLogged: false },
] as const)('rows that a cascade deletes are refused where they are not logged: $vendor $settings', async (one) => {
  await using server = await startMysql(one);
  await server.query(cascading);
  const route = mysqlRoute(server, 'd');
  const { position, stored } = await endOf(server);
  await server.query('DELETE FROM d.parent WHERE id = 1; DELETE FROM d.parent WHERE id = 2');
  await using reading = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
  await reading.reached((await endOf(server)).position);
  expect(reading.changes.some(({ table }) => table.name === 'child')).toBe(one.isLogged);
  expect(await cascadesFound(route)).toEqual(one.isLogged ? [] : [['error', 'd.child']]);
  const allowed = { ...route, allow: ['unloggedCascades'] };
  const level = one.vendor === 'mariadb' ? 'info' : 'error';
  expect(await cascadesFound(allowed)).toEqual(one.isLogged ? [] : [[level, 'd.child']]);
  const toPostgres = { ...allowed, to: { ...allowed.to, type: 'postgres' as const } };
  expect(await cascadesFound(toPostgres)).toEqual(one.isLogged ? [] : [['error', 'd.child']]);
});

async function cascadesFound(route: RouteDefinition): Promise<unknown[]> {
  const found = await withSession(route.from, (session) => preflight(session, route));
  return found.filter(({ code }) => code === 'source.unloggedCascade').map(({ level, table }) => [level, table]);
}
