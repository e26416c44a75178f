import { writeFileSync } from 'node:fs';
import { metricsPage } from './metrics-page.ts';

/** Part of `npm run docs`: writes the page that is made from the catalogue. A test fails while it is stale. */
writeFileSync(new URL('../../../docs/metrics.md', import.meta.url), metricsPage());
