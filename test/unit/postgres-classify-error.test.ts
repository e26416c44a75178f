import { expect, test } from 'vitest';
import { offBecause as mysqlOffBecause } from '../../connectors/mysql/target/refusals.ts';
import { classifyPostgresError } from '../../connectors/postgres/classify-error.ts';
import { beginInSnapshot } from '../../connectors/postgres/source/queue-snapshot.ts';
import { CountMismatch } from '../../connectors/postgres/target/batch.ts';
import { offBecause } from '../../connectors/postgres/target/target-transaction.ts';

const server = (code: string, message = 'words of the server') =>
  Object.assign(new Error(message), { code, severity: 'ERROR', table: 't', detail: 'Key (id)=(4711)' });

test.for([
  ['a lost connection', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), 'TL-5001', 'retry'],
  ['a connection that the driver has given up', new Error('Connection terminated unexpectedly'), 'TL-5001', 'retry'],
  ['a shutdown', server('57P01'), 'TL-5002', 'retry'],
  ['a deadlock', server('40P01'), 'TL-5002', 'retry'],
  ['a lock that was not granted in time', server('55P03'), 'TL-5002', 'retry'],
  ['a missing privilege', server('42501'), 'TL-5004', 'halt'],
  ['anything else', server('XX001'), 'TL-5006', 'halt'],
  ['a defect of ours', new TypeError('a cell of value 4711'), 'TL-5008', 'halt'],
] as const)('%s', ([, error, code, recovery]) => {
  const classified = classifyPostgresError(error, 'sales');
  expect([classified.code, classified.recovery]).toEqual([code, recovery]);
  expect(JSON.stringify(classified)).not.toContain('4711');
});

test('a snapshot whose session ends, before it is taken up or meanwhile, is one to be made again', async () => {
  const outcome = async (code: string): Promise<unknown> => {
    const query = async (text: string): Promise<void> => {
      if (text.startsWith('SET TRANSACTION SNAPSHOT')) throw server(code);
    };
    return await beginInSnapshot({ query } as never, { from: { name: 'sales' } } as never, '0-1').catch(
      (error: unknown) => error,
    );
  };
  for (const code of ['42704', '22023', '55000'])
    expect(await outcome(code)).toMatchObject({ code: 'TL-5001', recovery: 'retry' });
  expect(await outcome('0A000')).toMatchObject({ code: '0A000' });
});

test('messages that may quote a value are left out', () => {
  for (const code of ['22P02', 'P0001'])
    expect(classifyPostgresError(server(code, 'invalid: "4711"'), 'sales').message).not.toContain('4711');
});

test('why a group is replayed is told by what the server names, and never by its words', () => {
  const refused = Object.assign(server('23505', 'Key (id)=(4711)'), { schema: 'public', constraint: 't_pkey' });
  expect(offBecause(refused)).toEqual({ sqlState: '23505', table: 'public.t', constraint: 't_pkey' });
  expect(offBecause(new CountMismatch('public.t', 2, 1))).toEqual({ why: 'public.t: 2 rows expected, 1 found' });
  const duplicate = Object.assign(new Error("Duplicate entry '4711'"), { errno: 1062, sqlState: '23000' });
  expect(mysqlOffBecause(duplicate)).toEqual({ errno: 1062, sqlState: '23000' });
});

test('a connection that failed tells the address, once', () => {
  const refused = (address: string) =>
    Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
  const of = (error: Error, address: string) => classifyPostgresError(error, 'sales', address).message;
  expect(of(refused('10.0.0.1:5432'), '10.0.0.1:5432')).toBe(
    'node sales: no connection: connect ECONNREFUSED 10.0.0.1:5432',
  );
  expect(of(new Error('The server does not support SSL connections'), 'db1:5432')).toBe(
    'node sales: no connection: The server does not support SSL connections (db1:5432)',
  );
  const both = new AggregateError([refused('::1:5432'), refused('127.0.0.1:5432')]);
  expect(of(Object.assign(both, { code: 'ECONNREFUSED' }), 'localhost:5432')).toMatch(
    /::1:5432.*127\.0\.0\.1:5432 \(localhost:5432\)$/,
  );
  expect(of(server('28P01'), 'db1:5432')).toContain('words of the server (db1:5432)');
});

test('what the driver says of its own state is told in words of ours', () => {
  const error = new Error('Client has encountered a connection error and is not queryable');
  expect(classifyPostgresError(error, 'sales')).toMatchObject({
    code: 'TL-5001',
    message: 'node sales: no connection: the connection was lost',
  });
});

test('a refusal names what to look at, and rules of access only where they may be the cause', () => {
  const remedy = (code: string) => classifyPostgresError(server(code), 'sales').remedy;
  expect(remedy('28P01')).toMatch(/user and password of node sales/);
  expect(remedy('3D000')).toMatch(/name of the database of node sales/);
  for (const code of ['28P01', '3D000']) expect(remedy(code)).not.toContain('pg_hba');
  expect(remedy('28000')).toMatch(/pg_hba\.conf.*client certificate/);
});
