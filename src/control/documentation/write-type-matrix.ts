import { readFileSync, writeFileSync } from 'node:fs';
import { withTypeMatrix } from './type-matrix.ts';

/** Part of `npm run docs`: the part of docs/types.md that is made from the code. A test fails while it is stale. */
const page = new URL('../../../docs/types.md', import.meta.url);
writeFileSync(page, withTypeMatrix(readFileSync(page, 'utf8')));
