import { expect, test } from 'vitest';
import { formExamples, functionExamples } from '../../../src/expression/documentation/examples.ts';
import { expressionCases } from '../../support/expression-cases.ts';
import { expressionValue } from '../../support/expression-value.ts';
import { startPostgres } from '../../support/postgres.ts';

const settings = 'DateStyle=ISO,YMD IntervalStyle=postgres TimeZone=UTC extra_float_digits=1 bytea_output=hex';

/** What servers before PostgreSQL 16 do not know, or before 15. */
const isNewer = /0x1F|1_000|numeric\(\d,(-2|5)\)/;

test('the values that the unit tests and the documentation state are those of a server', async () => {
  await using server = await startPostgres();
  const db = await server.createDatabase();
  const client = await db.client();
  for (const setting of settings.split(' ')) {
    const [name, value] = setting.split('=');
    await client.query(`SET ${name} = ${value}`);
  }
  const atServer = async (text: string): Promise<string | null> => {
    const query = `SELECT CASE WHEN x IS NULL THEN NULL ELSE format('%s', x) END AS value FROM (SELECT (${text}) AS x OFFSET 0) s`;
    return client.query(query).then(
      ({ rows }) => rows[0].value,
      () => 'fails',
    );
  };
  const differences: string[] = [];
  const compare = async (text: string, value: string | null): Promise<void> => {
    const theirs = await atServer(text);
    if (theirs === 'fails' && isNewer.test(text) && Number(server.version) < 16) return;
    if (theirs !== value) differences.push(`${text}: ${value}, the server: ${theirs}`);
  };
  for (const [text, value] of Object.values(expressionCases).flat()) await compare(text, value);
  const examples = Object.values(functionExamples).flatMap((group) => Object.values(group));
  for (const text of [...examples, ...formExamples]) await compare(text, expressionValue(text));
  await client.end();
  expect(differences).toEqual([]);
});
