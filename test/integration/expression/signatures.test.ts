import { expect, test } from 'vitest';
import { signaturesModule } from '../../support/expression-signatures.ts';
import { startPostgres } from '../../support/postgres.ts';
import { newestVersion } from '../../support/postgres-binaries.ts';

test('what decides about the meaning of an expression is as the newest server has it', async () => {
  await using server = await startPostgres({ version: newestVersion });
  const db = await server.createDatabase();
  await expect(await signaturesModule(db)).toMatchFileSnapshot('../../../src/expression/signatures.ts');
});
