import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programFile } from '../core/installation.ts';

/**
 * Everything that the demo leaves on the machine while it runs: one directory, and the processes that were started.
 * A watchdog process removes both should this process be killed.
 */
export class WorkDirectory {
  readonly path: string;
  readonly #watchdog: ChildProcess;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'tidelock-demo-'));
    // The servers may run as another user, who has to reach their data in here. What holds a secret is 0600.
    chmodSync(this.path, 0o711);
    this.#watchdog = spawn(process.execPath, [programFile('demo/watchdog')], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
      windowsHide: true,
    });
    this.#watchdog.unref();
    // Without it the demo goes on; only nobody would clean up after a kill.
    this.#watchdog.on('error', () => {});
    this.#watchdog.stdin?.on('error', () => {});
    this.#tell(`directory ${this.path}`);
  }

  /** `child` ends with the demo, however that ends. */
  watch(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    this.#tell(`pid ${pid}`);
    child.once('exit', () => this.#tell(`gone ${pid}`));
  }

  /** For --keep: directory and processes stay. */
  keep(): void {
    this.#tell('dismiss');
    this.#watchdog.stdin?.end();
  }

  /** Only after the processes have ended. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10 });
    this.keep();
  }

  #tell(line: string): void {
    this.#watchdog.stdin?.write(`${line}\n`);
  }
}
