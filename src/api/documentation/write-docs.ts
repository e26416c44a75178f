import { writeFileSync } from 'node:fs';
import { apiPage } from './api-page.ts';

/** Part of `npm run docs`: writes the page that is made from the OpenAPI document. A test fails while it is stale. */
writeFileSync(new URL('../../../docs/api.md', import.meta.url), apiPage());
