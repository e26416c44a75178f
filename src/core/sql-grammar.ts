import v8 from 'node:v8';

/**
 * PostgreSQL's own grammar (libpg-query), as WebAssembly: 12 MB resident (of 138 MB reserved) and 30 ms, once a process, so that only those load it that meet
 * SQL. V8 would compile its one very large function anew in the background once it is called often, which takes 540 MB for a moment
 * and seconds of a processor, and parses no faster: that is switched off before.
 */
export async function loadSqlGrammar(): Promise<typeof import('libpg-query')> {
  v8.setFlagsFromString('--no-wasm-tier-up');
  v8.setFlagsFromString('--no-wasm-dynamic-tiering');
  const grammar = await import('libpg-query');
  await grammar.loadModule();
  return grammar;
}
