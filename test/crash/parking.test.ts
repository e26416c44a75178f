import { test } from 'vitest';
import { isThorough } from '../support/thorough.ts';
import { twoServers } from '../support/two-servers.ts';
import { killText } from './kill-at.ts';
import { killedWhileParking, parkingEachAlone, parkingInTurn } from './killed-parking.ts';

const servers = twoServers();

test.for((isThorough ? parkingEachAlone : parkingInTurn).map((kills) => [killText(kills), kills] as const))(
  'kill -9 %s: parked or applied, once',
  { timeout: 150_000 },
  ([, kills]) => killedWhileParking(servers, kills),
);
