// `npm run lint`: imports against the direction of the dependencies (docs/architecture.md).
import { forbiddenImports } from './dependency-rule.ts';

const found = forbiddenImports();
for (const line of found) process.stderr.write(`${line}, against the direction of the dependencies\n`);
process.exitCode = found.length === 0 ? 0 : 1;
