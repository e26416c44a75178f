import type { Grant } from '../../../src/core/node-inspector.ts';

/** Statements in the order in which they are run; one that is there already is not added again. */
export class GrantList {
  readonly #grants = new Map<string, Grant>();

  add(grant: Omit<Grant, 'need'> & Partial<Pick<Grant, 'need'>>): void {
    const there = this.#grants.get(grant.statement);
    // What one route needs is needed, though another would only be the better for it.
    if (there === undefined || there.need === 'recommended')
      this.#grants.set(grant.statement, { need: 'required', ...grant });
  }

  get all(): readonly Grant[] {
    return [...this.#grants.values()];
  }
}
