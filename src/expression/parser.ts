import type { parseSync, SqlError } from 'libpg-query';

/** PostgreSQL's own grammar, as far as it is used for expressions. */
export interface Parser {
  readonly parse: typeof parseSync;
  readonly SqlError: typeof SqlError;
}

/** An expression was met in a process that has not loaded the parser. */
export class ParserMissing extends Error {
  override readonly name = 'ParserMissing';
}

let loaded: Parser | null = null;

export function setParser(parser: Parser): void {
  loaded = parser;
}

export function theParser(): Parser {
  if (loaded === null) throw new ParserMissing('import expression/load-parser.ts before an expression is read');
  return loaded;
}

/** Runs it, and again with the parser where it has met an expression: most routes have none, and the parser takes 20 MB. */
export async function withParser<T>(run: () => T): Promise<T> {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ParserMissing)) throw error;
    await import('./load-parser.ts');
    return run();
  }
}
