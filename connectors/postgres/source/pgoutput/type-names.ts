/**
 * Schema-qualified names by type oid. The server names types of its own initial catalogue by oid only (they are read
 * once when the stream starts) and describes all others in Type messages, a domain by the type it is made of.
 */
export class TypeNames {
  readonly #names: Map<number, string>;
  readonly #domainModifiers: Map<number, number>;

  constructor(builtIn: Iterable<readonly [number, string]>, domainModifiers: Iterable<readonly [number, number]> = []) {
    this.#names = new Map(builtIn);
    this.#domainModifiers = new Map(domainModifiers);
  }

  /**
   * A column's modifier. Of a domain the messages hold neither its own nor that of its base type; one that was made
   * since the stream started has none here, which no narrower target column fits, unless the command that made it has told.
   */
  modifier(oid: number, own: number): number {
    return own === -1 ? (this.#domainModifiers.get(oid) ?? -1) : own;
  }

  limit(domain: { readonly oid: number; readonly modifier: number }): void {
    if (domain.modifier !== -1) this.#domainModifiers.set(domain.oid, domain.modifier);
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
