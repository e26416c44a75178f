import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Makes dist/web where it is missing, or older than what it is made of. */
export function buildWebPage(): void {
  const made = statSync(join(root, 'dist/web/index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const parts = ['vite.config.ts', 'package-lock.json', ...globSync('src/web/**/*.*', { cwd: root })];
  if (parts.every((part) => statSync(join(root, part)).mtimeMs < made)) return;
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  execFileSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: root, stdio: 'pipe', timeout: 120_000 });
}
