// Run for each file. What is imported is run once for the process.
import fc from 'fast-check';
import './end-with-run.ts';
import { seed } from './seed.ts';

fc.configureGlobal({ seed });
