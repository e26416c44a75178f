import type { CommandLine } from './command-line.ts';

/** Colours on a terminal that can show them; NO_COLOR takes them away, FORCE_COLOR brings them anywhere. */
export function usesColours({ out, env }: Pick<CommandLine, 'out' | 'env'>): boolean {
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  return out.isTTY === true && env.TERM !== 'dumb';
}

/** Null where lines may have any length: a file, or another program. */
export function terminalColumns({ out }: Pick<CommandLine, 'out'>): number | null {
  return out.isTTY === true && out.columns > 0 ? out.columns : null;
}
