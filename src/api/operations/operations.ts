import type { Operation } from '../operation.ts';
import { actOperations } from './act-operations.ts';
import { jobOperations } from './job-operations.ts';
import { readOperations } from './read-operations.ts';

/** Every path of the API but the document that describes it and the stream of events. */
export const operations: readonly Operation[] = [...readOperations, ...actOperations, ...jobOperations];
