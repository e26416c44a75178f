import { afterAll, beforeAll, test } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { startMysql } from '../support/mysql.ts';
import type { MysqlVendor } from '../support/mysql-binaries.ts';
import { startPostgres } from '../support/postgres.ts';
import { isThorough } from '../support/thorough.ts';
import {
  type CrashServers,
  type Kill,
  killedWhileLoading,
  killedWhileReplacing,
  killedWhileStreaming,
  killText,
  loseAnswerOfLoad,
  loseAnswers,
  targetSteps,
  type Victim,
  victims,
} from './kill-at.ts';
import { killedBesideStream, loadEachAlone } from './killed-load.ts';
import { killedWhileParking, parkingEachAlone } from './killed-parking.ts';
import { killedWhileRepairing, repairKills } from './killed-repair.ts';

type Vendor = MysqlVendor | 'postgres';

/** Only a source that is PostgreSQL is told what is durable, and only a target that is PostgreSQL flushes later than it commits. */
const steps = (from: Vendor, to: Vendor): readonly FailpointName[] => [
  ...targetSteps,
  ...(to === 'postgres' ? (['flush.seen'] as const) : []),
  ...(from === 'postgres' ? (['ack.sent'] as const) : []),
];

/** `npm run test:full` has every step, vendor and victim; these stand for the others. */
const standing: readonly (readonly Kill[])[] = [
  [{ name: 'commit.before', victim: 'worker', hit: 2 }],
  [{ name: 'commit.sent', victim: 'target', hit: 3 }],
];

const loadStanding: readonly (readonly Kill[])[] = [[{ name: 'chunk.sent', victim: 'worker', hit: 3 }]];
const parkingStanding: readonly (readonly Kill[])[] = [[{ name: 'park.written', victim: 'worker', hit: 2 }]];

/** A server is killed where a pair is of one vendor: another source or target makes no difference to it. */
function isMeant(from: Vendor, to: Vendor, victim: Victim): boolean {
  return victim === 'worker' || from === to;
}

const start = (vendor: Vendor) => (vendor === 'postgres' ? startPostgres() : startMysql({ vendor }));

/** Each step between MySQL, MariaDB and PostgreSQL; one pair of vendors a file, so that they run beside each other. */
export function killsBetween(from: Vendor, to: Vendor): void {
  let here: CrashServers['here'];
  let there: CrashServers['there'];
  const servers: CrashServers = {
    get here() {
      return here;
    },
    get there() {
      return there;
    },
  };
  beforeAll(async () => {
    [here, there] = await Promise.all([start(from), start(to)]);
  });
  afterAll(async () => {
    await here[Symbol.asyncDispose]();
    await there[Symbol.asyncDispose]();
  });

  // The passing differs from step to step, so that not all of them meet the same transaction.
  const eachAlone: readonly (readonly Kill[])[] = steps(from, to).flatMap((name, at) =>
    victims.filter((victim) => isMeant(from, to, victim)).map((victim) => [{ name, victim, hit: 1 + (at % 3) }]),
  );

  test.for((isThorough ? eachAlone : standing).map((kills) => [killText(kills), kills] as const))(
    'kill -9 %s',
    ([, kills]) => killedWhileStreaming(servers, kills),
  );

  test.for(isThorough ? (['slot.created', 'load.copied'] as const) : [])(
    'kill -9 at %s: the load begins anew',
    (name) => killedWhileLoading(servers, [name]),
  );

  test('kill -9 while the rows go that a load replaces', () => killedWhileReplacing(servers));

  test('the lost answer of a COMMIT is found out', () => loseAnswers(servers));

  if (isThorough) test('a load whose COMMIT was not answered is not begun anew', () => loseAnswerOfLoad(servers));

  const meant = (all: readonly (readonly Kill[])[]) =>
    all
      .filter((kills) => kills.every(({ victim }) => isMeant(from, to, victim)))
      .map((kills) => [killText(kills), kills] as const);

  test.for(meant(isThorough ? loadEachAlone : loadStanding))(
    'a load beside the stream goes on at its last chunk after kill -9 %s',
    { timeout: 240_000 },
    ([, kills]) => killedBesideStream(servers, kills),
  );

  test.for(meant(isThorough ? parkingEachAlone : parkingStanding))(
    'kill -9 %s: parked or applied, once',
    { timeout: 150_000 },
    ([, kills]) => killedWhileParking(servers, kills),
  );

  // Between vendors such rows are compared and not repaired.
  if (!isThorough || from === 'postgres' || to === 'postgres') return;

  test.for(repairKills)(
    'a repair of rows without a key that dies at %s, and is taken back over a kill at %s, has done each row once',
    { timeout: 240_000 },
    (kills) => killedWhileRepairing(servers, kills),
  );
}
