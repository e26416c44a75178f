import { existsSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A process of its own that outlives the demo for as long as it takes to clean up after it, should the demo be killed.
 * It is told on standard input, line by line, what there is: `pid N`, `gone N`, `directory PATH`, and `dismiss` when
 * nothing is left to be done. The end of the input without that means that the demo is gone.
 */
const processes = new Set<number>();
const directories = new Set<string>();
let text = '';

process.stdin.setEncoding('utf8');
for await (const chunk of process.stdin) {
  text += chunk;
  const lines = text.split('\n');
  text = lines.pop() ?? '';
  for (const line of lines) note(line);
}
await cleanUp();

function note(line: string): void {
  const [, verb, rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? [];
  if (verb === 'pid') processes.add(Number(rest));
  if (verb === 'gone') processes.delete(Number(rest));
  if (verb === 'directory') directories.add(rest);
  if (verb === 'dismiss') process.exit(0);
}

async function cleanUp(): Promise<void> {
  // To a PostgreSQL server an immediate shutdown, which takes its children along; the engine has no handler for it.
  for (const pid of processes) signal(pid, 'SIGQUIT');
  for (let waited = 0; waited < 5_000 && [...processes].some((pid) => signal(pid, 0)); waited += 50) await delay(50);
  for (const pid of processes) signal(pid, 'SIGKILL');
  for (const path of directories) await remove(path);
}

/** An initdb that the demo has left running writes into the directory, or makes it again: until it stays away. */
async function remove(path: string): Promise<void> {
  for (let tries = 0, absent = 0; tries < 100 && absent < 10; tries++) {
    await delay(100);
    absent = existsSync(path) ? 0 : absent + 1;
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // Not empty again: the next try.
    }
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
