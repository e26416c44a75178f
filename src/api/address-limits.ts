export interface Allowance {
  /** At most so many at once. */
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** More addresses than this are not kept apart: those that were quiet longest are forgotten. */
const addressesKept = 10_000;

/** A token bucket for each address, of IPv6 for each network of 64 bits: who has one of its addresses has them all. Pure but for the clock that it is given: milliseconds that only grow. */
export class AddressLimits {
  readonly #allowance: Allowance;
  readonly #buckets = new Map<string, Bucket>();

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  /** Null where one more is allowed, and it is counted; else the seconds until it is. */
  take(address: string, nowMs: number): number | null {
    const seconds = this.wait(address, nowMs);
    if (seconds === null) this.#bucket(address, nowMs).left -= 1;
    return seconds;
  }

  /** The same without counting. */
  wait(address: string, nowMs: number): number | null {
    const { left } = this.#bucket(address, nowMs);
    return left >= 1 ? null : Math.ceil((1 - left) / this.#allowance.perSecond);
  }

  #bucket(asking: string, nowMs: number): Bucket {
    const address = networkOf(asking);
    const { burst, perSecond } = this.#allowance;
    const known = this.#buckets.get(address);
    const left = known === undefined ? burst : Math.min(burst, known.left + ((nowMs - known.atMs) / 1000) * perSecond);
    const bucket = { left, atMs: nowMs };
    // To the end: a Map keeps its order, and the first ones are forgotten.
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= addressesKept) break;
      this.#buckets.delete(oldest);
    }
    return bucket;
  }
}

/** As Node writes addresses: of IPv6 the shortest form, with a zone behind some. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [text = ''] = address.split('%');
  const [head = [], tail] = text.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const left = tail === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...new Array<string>(left).fill('0'), ...(tail ?? [])];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
