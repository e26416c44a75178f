import { killsBetween } from '../crash/kills-between.ts';

killsBetween('mysql', 'mariadb');
