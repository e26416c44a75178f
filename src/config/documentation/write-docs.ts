import { writeFileSync } from 'node:fs';
import { expressionsPage } from '../../expression/documentation/expressions-page.ts';
import { configurationPage } from './configuration-page.ts';
import { errorsPage } from './errors-page.ts';

/** `npm run docs`: writes the pages that are made from the code. A test fails while they are stale. */
writeFileSync(new URL('../../../docs/configuration.md', import.meta.url), configurationPage());
writeFileSync(new URL('../../../docs/errors.md', import.meta.url), errorsPage());
writeFileSync(new URL('../../../docs/expressions.md', import.meta.url), expressionsPage());
