import { sourceErrors } from '../../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../../src/core/errors/tidelock-error.ts';

/** First and last, both in it. */
type Interval = [first: number, last: number];

interface Growing {
  readonly source: string;
  readonly interval: Interval;
  readonly before: string;
  readonly behind: string;
}

function copyOf([first, last]: Interval): Interval {
  return [first, last];
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const tagPattern = /^[a-z_][a-z0-9_]{0,31}$/;

/**
 * MySQL's set of executed transactions: intervals of numbers by the server, and the tag, that gave them out
 * (`3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7:blue:1-2`). Changed in place by add() and remove().
 */
export class GtidSet {
  readonly #sources = new Map<string, Interval[]>();
  /** The set as text around the one number that has risen since; null where anything else has changed. */
  #growing: Growing | null = null;

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
    const intervals = this.#sources.get(source);
    if (intervals === undefined) return false;
    // Nearly all are asked for as they come: behind the last.
    for (let at = intervals.length - 1; at >= 0; at--) {
      const [first, last] = intervals[at] as Interval;
      if (number > last) return false;
      if (number >= first) return true;
    }
    return false;
  }

  add(source: string, number: number): void {
    const growing = this.#growing;
    if (growing !== null && growing.source === source && growing.interval[1] + 1 === number) {
      growing.interval[1] = number;
      return;
    }
    const intervals = this.#sources.get(source);
    const last = intervals?.at(-1);
    // As nearly all do, the next one follows.
    if (last !== undefined && last[1] + 1 === number) {
      last[1] = number;
      this.#growing = this.#textAround(source, last);
    } else this.#addInterval(source, number, number);
  }

  /** All of the set but the end of this interval, which has several numbers. */
  #textAround(source: string, interval: Interval): Growing {
    const last = interval[1];
    // No number is as large.
    interval[1] = Number.POSITIVE_INFINITY;
    const [before = '', behind = ''] = this.#wholeText().split(String(interval[1]));
    interval[1] = last;
    return { source, interval, before, behind };
  }

  remove(source: string, number: number): void {
    this.#growing = null;
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
    for (const [source, intervals] of this.#sources) copy.#sources.set(source, intervals.map(copyOf));
    return copy;
  }

  #addInterval(source: string, first: number, last: number): void {
    this.#growing = null;
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
    const growing = this.#growing;
    return growing === null ? this.#wholeText() : `${growing.before}${growing.interval[1]}${growing.behind}`;
  }

  #wholeText(): string {
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
