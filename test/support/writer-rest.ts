import { isThorough } from './thorough.ts';

/** Between the transactions of a client that writes beside a route, since the machine has the route to carry, too. */
export const writerRestMs = isThorough ? 5 : 15;

/** Between two looks of a reader who adds up all that the target holds. */
export const auditorRestMs = isThorough ? 5 : 25;
