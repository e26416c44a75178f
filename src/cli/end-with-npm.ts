const lookMs = 1_000;

/**
 * npm runs a script in a shell, and a SIGTERM to npm ends that shell and nothing else: what it has started would go on with nobody to end it. So the end of
 * the parent is a SIGTERM to this process too, where npm has started it as `script`, and not something that npm has started.
 */
export function endWithNpm(script: RegExp): void {
  if (!script.test(process.env.npm_lifecycle_script ?? '')) return;
  const parent = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(looking);
    process.kill(process.pid, 'SIGTERM');
  }, lookMs);
  looking.unref();
}
