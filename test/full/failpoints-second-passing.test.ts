import { killsAtPassing, laterPassings } from '../crash/kills-at-passing.ts';
import { twoServers } from '../support/two-servers.ts';

killsAtPassing(twoServers(), laterPassings[0]);
