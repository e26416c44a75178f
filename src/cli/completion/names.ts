import type { CommandLine } from '../command-line.ts';

export interface Names {
  readonly routes: readonly string[];
  readonly nodes: readonly string[];
}

/** Of the configuration that the words name, else the usual one. None where it can't be read: a completion never complains. */
export async function readNames(words: readonly string[], { env, cwd }: CommandLine): Promise<Names> {
  const at = words.findIndex((word) => word === '-c' || word === '--config');
  const file = at >= 0 ? words[at + 1] : words.find((word) => word.startsWith('--config='))?.slice('--config='.length);
  try {
    // Most completions need none, and should come before the key is released.
    const { loadConfiguration } = await import('../../config/load-configuration.ts');
    const { routes, nodes } = loadConfiguration({ file, env, cwd });
    return { routes: [...routes.keys()], nodes: [...nodes.keys()] };
  } catch {
    return { routes: [], nodes: [] };
  }
}
