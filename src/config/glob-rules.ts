import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import { tableLabel } from '../core/table.ts';
import type { TablePattern } from '../core/table-pattern.ts';

/** Values by table: a name without a glob beats every glob, and two globs for one table are an error. */
export class GlobRules<T> {
  readonly #exact = new Map<string, T>();
  readonly #globs: { readonly pattern: TablePattern; readonly value: T }[] = [];
  readonly #where: { readonly route: string; readonly section: string };

  constructor(
    rules: readonly { readonly pattern: TablePattern; readonly value: T }[],
    where: { readonly route: string; readonly section: string },
  ) {
    this.#where = where;
    for (const rule of rules) {
      if (rule.pattern.exact === null) this.#globs.push(rule);
      else this.#exact.set(tableLabel(rule.pattern.exact), rule.value);
    }
  }

  exact(schema: string, name: string): T | undefined {
    return this.#exact.get(tableLabel({ schema, name }));
  }

  glob(schema: string, name: string): T | undefined {
    const matching = this.#globs.filter(({ pattern }) => pattern.matches(schema, name));
    if (matching.length > 1)
      throw fail(configErrors.overlappingGlobs, {
        ...this.#where,
        table: tableLabel({ schema, name }),
        patterns: matching.map(({ pattern }) => pattern.text),
      });
    return matching[0]?.value;
  }
}
