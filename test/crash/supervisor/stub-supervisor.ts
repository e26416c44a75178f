import { silentLogger } from '../../../src/core/logger.ts';
import { runSupervisor } from '../../../src/supervisor/run-supervisor.ts';
import { Supervisor } from '../../../src/supervisor/supervisor.ts';

/** `tidelock run` with workers that need no databases. Prints each status, and each SIGTERM, as a line of JSON. */
const supervisor = new Supervisor({
  file: 'none',
  routes: process.argv.slice(2),
  logger: silentLogger,
  silentMs: Number(process.env.SILENT_MS ?? 60_000),
  workerModule: new URL('./stub-worker.ts', import.meta.url),
});
supervisor.onStatus((route, { reason, restarts }) => {
  process.stdout.write(`${JSON.stringify({ route, pid: Number(reason?.message), restarts })}\n`);
});
process.on('SIGTERM', () => process.stdout.write(`${JSON.stringify({ route: 'SIGTERM', pid: 0, restarts: 0 })}\n`));
process.exitCode = await runSupervisor(supervisor);
