import type { Configuration } from '../config/configuration.ts';
import { loadConfiguration } from '../config/load-configuration.ts';
import type { CommandLine, CommonOptions } from './command-line.ts';

/** In a file of its own: what reads a configuration takes longer to load than many a command to run. */
export function openConfiguration(line: CommandLine, { config }: CommonOptions): Configuration {
  return loadConfiguration({ file: config, env: line.env, cwd: line.cwd });
}
