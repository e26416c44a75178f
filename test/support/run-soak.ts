// `npm run test:soak -- --minutes N --seed S`: the bank under random kills for as long as told.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } });
const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
process.stdout.write(`${values.minutes} minutes, seed ${seed}\n`);
const { status } = spawnSync('npx', ['vitest', 'run', 'test/crash/bank.test.ts'], {
  env: { ...process.env, TIDELOCK_SOAK_MINUTES: values.minutes, TIDELOCK_TEST_SEED: seed },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
