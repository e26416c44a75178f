import { unknownName } from '../config/unknown-name.ts';
import type { Control } from '../control/control.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail } from '../core/errors/tidelock-error.ts';

/** The routes that a lifecycle verb is about: those named, or all of them with --all. */
export async function chosenRoutes(control: Control, named: readonly string[], all: boolean): Promise<string[]> {
  if (all === named.length > 0) {
    throw fail(configErrors.arguments, { why: all ? 'give route names or --all, not both' : 'name a route, or --all' });
  }
  const there = await control.routes();
  // Before the first of them is touched: a wrong name among several changes nothing.
  for (const name of named) if (!there.includes(name)) throw unknownName('route', name, there);
  return all ? [...there] : [...new Set(named)];
}
