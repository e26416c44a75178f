#!/usr/bin/env node
// Read by any Node, however old: what needs a newer one is loaded behind the look at its version.
import { nodeRefusal } from './node-version.ts';

const refusal = nodeRefusal(process.versions.node);
if (refusal !== null) {
  const { code, message, remedy } = refusal;
  process.stderr.write(
    process.argv.includes('--json') ? `${JSON.stringify({ error: refusal })}\n` : `${code} ${message}\n${remedy}\n`,
  );
  process.exitCode = 2;
} else {
  const [{ main }, { endWithNpm }] = await Promise.all([import('./tidelock.ts'), import('./end-with-npm.ts')]);
  endWithNpm(/^(?:node src\/cli\/main\.ts|tidelock)\b/);
  process.exitCode = await main(process.argv);
}
