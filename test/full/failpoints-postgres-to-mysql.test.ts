import { killsBetween } from '../crash/kills-between.ts';

killsBetween('postgres', 'mysql');
