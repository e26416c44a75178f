import type { CommandLine } from './command-line.ts';
import { wholeWords } from './whole-words.ts';

/** Whoever waits longer than that without a word takes a command for hung. */
const slowMs = 5_000;

/** Waits for `doing`, and tells on standard error what it may be waiting for where it takes long. */
export async function toldWhenSlow<T>(line: Pick<CommandLine, 'err'>, doing: Promise<T>, text: string): Promise<T> {
  const timer = setTimeout(async () => line.err.write(await wholeWords(line, text)), slowMs);
  try {
    return await doing;
  } finally {
    clearTimeout(timer);
  }
}
