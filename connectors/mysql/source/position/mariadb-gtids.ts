import { sourceErrors } from '../../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../../src/core/errors/tidelock-error.ts';

interface Last {
  readonly server: number;
  readonly sequence: number;
}

/** MariaDB's position: the last transaction of each domain (`0-1-100,1-5-17`). Numbers of one domain only rise. */
export class MariadbGtids {
  readonly #domains = new Map<number, Last>();

  static parse(text: string): MariadbGtids {
    const gtids = new MariadbGtids();
    for (const part of text.replaceAll(/\s/g, '').split(',')) {
      if (part === '') continue;
      const match = /^(\d{1,10})-(\d{1,10})-(\d{1,16})$/.exec(part);
      if (match === null) throw fail(sourceErrors.invalidPosition, { text });
      const [domain, server, sequence] = match.slice(1).map(Number) as [number, number, number];
      if (!Number.isSafeInteger(sequence) || gtids.#domains.has(domain))
        throw fail(sourceErrors.invalidPosition, { text });
      gtids.#domains.set(domain, { server, sequence });
    }
    return gtids;
  }

  has(domain: number, sequence: number): boolean {
    return (this.#domains.get(domain)?.sequence ?? 0) >= sequence;
  }

  add(domain: number, server: number, sequence: number): void {
    this.#domains.set(domain, { server, sequence });
  }

  covers(other: MariadbGtids): boolean {
    return [...other.#domains].every(([domain, { sequence }]) => this.has(domain, sequence));
  }

  toString(): string {
    return [...this.#domains]
      .sort(([a], [b]) => a - b)
      .map(([domain, { server, sequence }]) => `${domain}-${server}-${sequence}`)
      .join(',');
  }
}
