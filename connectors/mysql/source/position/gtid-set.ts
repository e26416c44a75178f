import { sourceErrors } from '../../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../../src/core/errors/tidelock-error.ts';

/** First and last, both in it. */
type Interval = readonly [first: number, last: number];

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const tagPattern = /^[a-z_][a-z0-9_]{0,31}$/;

/**
 * MySQL's set of executed transactions: intervals of numbers by the server, and the tag, that gave them out
 * (`3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7:blue:1-2`). Changed in place by add() and remove().
 */
export class GtidSet {
  readonly #sources = new Map<string, Interval[]>();

  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const part of text.toLowerCase().replaceAll(/\s/g, '').split(',')) {
      if (part === '') continue;
      const [uuid = '', ...rest] = part.split(':');
      if (!uuidPattern.test(uuid) || rest.length === 0) throw fail(sourceErrors.invalidPosition, { text });
      let source = uuid;
      for (const item of rest) {
        if (tagPattern.test(item)) {
          source = `${uuid}:${item}`;
          continue;
        }
        const match = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(item);
        const first = Number(match?.[1]);
        const last = Number(match?.[2] ?? match?.[1]);
        if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 1 || last < first)
          throw fail(sourceErrors.invalidPosition, { text });
        set.#addInterval(source, first, last);
      }
    }
    return set;
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  has(source: string, number: number): boolean {
    return this.#sources.get(source)?.some(([first, last]) => first <= number && number <= last) ?? false;
  }

  add(source: string, number: number): void {
    const intervals = this.#sources.get(source);
    const last = intervals?.at(-1);
    // As nearly all do, the next one follows.
    if (intervals !== undefined && last !== undefined && last[1] + 1 === number)
      intervals[intervals.length - 1] = [last[0], number];
    else this.#addInterval(source, number, number);
  }

  remove(source: string, number: number): void {
    const left = (this.#sources.get(source) ?? []).flatMap(([first, last]): Interval[] => {
      if (number < first || last < number) return [[first, last]];
      const parts: Interval[] = [
        [first, number - 1],
        [number + 1, last],
      ];
      return parts.filter(([from, to]) => from <= to);
    });
    if (left.length > 0) this.#sources.set(source, left);
    else this.#sources.delete(source);
  }

  /** True where everything that is in `other` is in here. */
  covers(other: GtidSet): boolean {
    for (const [source, intervals] of other.#sources) {
      const own = this.#sources.get(source) ?? [];
      const within = ([first, last]: Interval): boolean => own.some(([from, to]) => from <= first && last <= to);
      if (!intervals.every(within)) return false;
    }
    return true;
  }

  copy(): GtidSet {
    const copy = new GtidSet();
    for (const [source, intervals] of this.#sources) copy.#sources.set(source, [...intervals]);
    return copy;
  }

  #addInterval(source: string, first: number, last: number): void {
    const merged: Interval[] = [];
    let from = first;
    let to = last;
    for (const interval of this.#sources.get(source) ?? []) {
      if (interval[1] + 1 < from || to + 1 < interval[0]) merged.push(interval);
      else {
        from = Math.min(from, interval[0]);
        to = Math.max(to, interval[1]);
      }
    }
    merged.push([from, to]);
    this.#sources.set(
      source,
      merged.sort(([a], [b]) => a - b),
    );
  }

  toString(): string {
    const byServer = new Map<string, string[]>();
    for (const source of [...this.#sources.keys()].sort()) {
      const [uuid = '', tag] = source.split(':');
      const numbers = (this.#sources.get(source) ?? []).map(([first, last]) =>
        first === last ? `${first}` : `${first}-${last}`,
      );
      const parts = byServer.get(uuid) ?? [];
      parts.push(...(tag === undefined ? [] : [tag]), ...numbers);
      byServer.set(uuid, parts);
    }
    return [...byServer].map(([uuid, parts]) => [uuid, ...parts].join(':')).join(',');
  }

  /**
   * As COM_BINLOG_DUMP_GTID wants it: the number of sources, and of each its id, its number of intervals, and these with their end
   * excluded. Where one has a tag the first number is shifted, with a 1 beside it and at its very top, and each id has its tag behind it.
   */
  encode(): Buffer {
    const tagged = [...this.#sources.keys()].some((source) => source.includes(':'));
    const count = BigInt(this.#sources.size);
    const chunks = [number64(tagged ? (1n << 56n) | (count << 8n) | 1n : count)];
    for (const [source, intervals] of [...this.#sources].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [uuid = '', tag = ''] = source.split(':');
      chunks.push(Buffer.from(uuid.replaceAll('-', ''), 'hex'));
      // A length is an integer of the same kind as in a tagged GTID: below 128 its double.
      if (tagged) chunks.push(Buffer.from([tag.length * 2]), Buffer.from(tag));
      chunks.push(number64(BigInt(intervals.length)));
      for (const [first, last] of intervals) chunks.push(number64(BigInt(first)), number64(BigInt(last) + 1n));
    }
    return Buffer.concat(chunks);
  }
}

function number64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
