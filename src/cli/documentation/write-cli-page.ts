import { writeFileSync } from 'node:fs';
import { cliPage } from './cli-page.ts';

/** Part of `npm run docs`. A test fails while the page is stale. */
writeFileSync(new URL('../../../docs/cli.md', import.meta.url), await cliPage());
