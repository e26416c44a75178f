/**
 * Schema-qualified names by type oid. The server names types of its own initial catalogue by oid only (they are read
 * once when the stream starts) and describes all others in Type messages, a domain by the type it is made of.
 */
export class TypeNames {
  readonly #names: Map<number, string>;

  constructor(builtIn: Iterable<readonly [number, string]>) {
    this.#names = new Map(builtIn);
  }

  describe(type: { readonly oid: number; readonly name: string }): void {
    this.#names.set(type.oid, type.name);
  }

  name(oid: number): string {
    const name = this.#names.get(oid);
    if (name === undefined) throw new RangeError(`type ${oid} was not described`);
    return name;
  }
}
