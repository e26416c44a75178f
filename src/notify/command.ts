import { spawn } from 'node:child_process';
import type { Delivery } from './delivery.ts';
import type { Notice } from './notice.ts';

const timeoutMs = 30_000;

/** What a program needs to find others and to speak. The service's own variables hold the passwords of databases. */
const passedOn = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SystemRoot'];

/** Starts a program, without a shell, with the facts in its environment and the notice on its standard input. */
export function runCommand(command: readonly string[], notice: Notice, signal: AbortSignal): Promise<Delivery> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    // A process group of its own: what the program has started ends with it.
    const child = spawn(program, args, {
      env: environment(notice),
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    let late = false;
    const end = (): void => {
      late = true;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
    };
    const timer = setTimeout(end, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const settle = (delivery: Delivery): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve(delivery);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code ?? 'unknown';
      // One that is not there, or may not be run, is not so a moment later either.
      settle({ ok: false, again: !['ENOENT', 'EACCES'].includes(why), why });
    });
    child.once('exit', (code, killed) => {
      if (code === 0) settle({ ok: true });
      else if (late) settle({ ok: false, again: true, why: `did not end within ${timeoutMs / 1000} s` });
      else settle({ ok: false, again: true, why: code === null ? String(killed) : `exit code ${code}` });
    });
    // A program that does not read is no error.
    child.stdin.on('error', () => {});
    child.stdin.end(`${JSON.stringify(notice)}\n`);
  });
}

function environment(notice: Notice): Record<string, string> {
  const passed = passedOn.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    TIDELOCK_EVENT: notice.event,
    TIDELOCK_ABOUT: notice.about,
    TIDELOCK_SEVERITY: notice.severity,
    TIDELOCK_TEXT: notice.text,
    TIDELOCK_DEPLOYMENT: notice.deployment,
    TIDELOCK_ROUTE: notice.route,
    TIDELOCK_ROUTES: notice.routes.join(' '),
    TIDELOCK_STATE: notice.state,
    TIDELOCK_HEALTH: notice.health,
    TIDELOCK_CODE: notice.reason?.code ?? '',
    TIDELOCK_NOTICE_ID: notice.id,
    TIDELOCK_AT: notice.at,
  };
}
