import { killsBetween } from '../crash/kills-between.ts';

killsBetween('mariadb', 'postgres');
