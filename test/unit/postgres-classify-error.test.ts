import { expect, test } from 'vitest';
import { classifyPostgresError } from '../../connectors/postgres/classify-error.ts';

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

test('messages that may quote a value are left out', () => {
  for (const code of ['22P02', 'P0001'])
    expect(classifyPostgresError(server(code, 'invalid: "4711"'), 'sales').message).not.toContain('4711');
});
