// `npm run test:soak -- --minutes N --seed S`: the bank under random kills for as long as told.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);

if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('npm run test:soak -- --minutes N --seed S: N is a number above 0, S a whole number\n');
  process.exitCode = 2;
} else {
  process.stdout.write(`${minutes} minutes, seed ${seed}\n`);
  // The order of kills is the seed's; the moment that each of them meets is the machine's.
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/crash/bank.test.ts'], {
    env: {
      ...process.env,
      TIDELOCK_SOAK_MINUTES: String(minutes),
      TIDELOCK_TEST_SEED: String(seed),
      TIDELOCK_TEST_SEEDS: '1',
    },
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
