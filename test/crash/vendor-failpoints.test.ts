import { killsBetween } from './kills-between.ts';

// `npm run test:full` has the other pairs in test/full.
killsBetween('mysql', 'mysql');
