import { silentLogger } from '../../../src/core/logger.ts';
import { runSupervisor } from '../../../src/supervisor/run-supervisor.ts';
import { Supervisor } from '../../../src/supervisor/supervisor.ts';

/** `tidelock run` with workers that need no databases. Prints each status, and each SIGTERM, as a line of JSON. */
const supervisor = new Supervisor({
  file: 'none',
  routes: process.argv.slice(2),
  logger: silentLogger,
  patience: { silentMs: Number(process.env.SILENT_MS ?? 60_000) },
  workerModule: new URL('./stub-worker.ts', import.meta.url),
});
supervisor.onStatus((route, { state, reason, restarts }) => {
  // What workers say, and not what the Supervisor says of those that have died.
  if (state !== 'running') return;
  process.stdout.write(`${JSON.stringify({ route, pid: Number(reason?.message), restarts })}\n`);
});
process.on('SIGTERM', () => process.stdout.write(`${JSON.stringify({ route: 'SIGTERM', pid: 0, restarts: 0 })}\n`));
process.exitCode = await runSupervisor(supervisor);
