// Before the tests, outside of their time: the browser that the web page is tested in, where it is not there yet.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findChromium } from './chromium.ts';

if (findChromium() === null && existsSync('/usr/bin/apt-get')) {
  process.stdout.write('installing Chromium\n');
  try {
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core');
  } catch (error) {
    process.stdout.write(`Chromium could not be installed: ${(error as Error).message.split('\n')[0]}\n`);
  }
}
// Elsewhere the tests that need it are listed as skipped.
process.exitCode = findChromium() === null && process.env.CI ? 1 : 0;

function apt(...args: string[]): void {
  const command = ['apt-get', ...args];
  // Without a question where a password would be wanted.
  const [file = '', ...rest] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync(file, rest, { stdio: 'pipe', env, timeout: 600_000 });
}
