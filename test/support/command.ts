import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { commandModule, engineProgram } from './engine.ts';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** As src/cli/tidelock.ts exports it. */
interface CommandModule {
  main(argv: readonly string[], given: Surroundings & { out: Writable; err: Writable }): Promise<number>;
}

/**
 * `tidelock ARGUMENTS…`, of the engine that is under test, to its end. A process of its own costs 0.2 s of CPU, so that
 * `npm test` runs the command line in the test's process: what commands say and do is the same. That their processes end,
 * and with which code, is shown by test/integration/cli, and by `npm run test:full` for all of them.
 */
export function runCommand(args: readonly string[], surroundings: Surroundings): Promise<Outcome> {
  const alone = process.env.TIDELOCK_TEST_FULL !== undefined || surroundings.env.TIDELOCK_FAILPOINTS !== undefined;
  return alone ? inProcess(args, surroundings) : here(args, surroundings);
}

/** Also where the process is to be killed by itself. */
function inProcess(args: readonly string[], surroundings: Surroundings): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [engineProgram(), ...args], surroundings, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

async function here(args: readonly string[], surroundings: Surroundings): Promise<Outcome> {
  // As Node itself loads it: not what the test runner makes of a module.
  const { main } = createRequire(import.meta.url)(commandModule()) as CommandModule;
  const [out, err] = [new Written(), new Written()];
  const code = await main([process.execPath, engineProgram(), ...args], { ...surroundings, out, err });
  return { code, out: out.text, err: err.text };
}

/** A stream that is no terminal, and keeps what is written. */
class Written extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
