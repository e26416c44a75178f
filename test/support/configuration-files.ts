import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Configuration } from '../../src/config/configuration.ts';
import { loadConfiguration } from '../../src/config/load-configuration.ts';
import { TidelockError } from '../../src/core/errors/tidelock-error.ts';

export interface Problem {
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** Files of one test's configuration in a directory of their own, gone with the test. */
export class ConfigurationFiles {
  readonly directory = mkdtempSync(join(tmpdir(), 'tidelock-config-'));

  write(name: string, text: string): string {
    const path = join(this.directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  load(text: string, env: Record<string, string> = {}): Configuration {
    this.write('tidelock.yaml', text);
    return loadConfiguration({ env, cwd: this.directory });
  }

  /** The error of loading, or of what is done with the configuration. */
  error(text: string, use: (configuration: Configuration) => unknown = () => {}, env = {}): TidelockError {
    return caught(() => use(this.load(text, env)));
  }

  problems(text: string, use?: (configuration: Configuration) => unknown, env = {}): readonly Problem[] {
    return problemsOf(this.error(text, use, env));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function caught(action: () => unknown): TidelockError {
  try {
    action();
  } catch (error) {
    if (error instanceof TidelockError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

export function problemsOf(error: TidelockError): readonly Problem[] {
  return (error.place as { problems: readonly Problem[] }).problems;
}

/** A valid file with one route `r` from a to b; the lines of `route` are its keys. */
export function withRoute(route: string, rest = ''): string {
  return `version: 1
name: prod
nodes:
  a: { type: postgres, url: "postgres://u:p@localhost/a" }
  b: { type: postgres, url: "postgres://u:p@localhost/b" }
${rest}routes:
  r:
    from: a
    to: b
${route
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
`;
}
