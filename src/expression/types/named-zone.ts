import { ExpressionFailure } from '../problem.ts';
import { checkTimestamp, isInfinite, type TimestampValue } from './date-time.ts';

const secondsTo2000 = 946_684_800;
const daySeconds = 86_400;
/** What a Date can hold, less a day. */
const lastSecond = 8_639_999_000_000;

/** Continent and city: abbreviations ('CET') and offsets mean other things to the server. */
const zoneName = /^[A-Za-z_]+(\/[A-Za-z0-9_+-]+)+$/;
const offsetPattern = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/;

/**
 * A zone of the IANA database by the rules that come with this program. Before 1970 the databases of different builds have
 * different rules for one name, and nothing is computed.
 */
export class NamedZone {
  readonly #format: Intl.DateTimeFormat;
  /** Of days, since 1970, that have one offset from their first second to their last; null of the others. */
  readonly #days = new Map<number, number | null>();

  private constructor(format: Intl.DateTimeFormat) {
    this.#format = format;
  }

  static find(name: string): NamedZone | null {
    if (!zoneName.test(name)) return null;
    try {
      return new NamedZone(new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' }));
    } catch {
      return null;
    }
  }

  /** What clocks there show at a moment. */
  clockAt(moment: TimestampValue): TimestampValue {
    if (isInfinite(moment)) return moment;
    const seconds = wholeSeconds(moment);
    demandKnown(seconds);
    return shifted(moment, this.#offsetAt(seconds));
  }

  /**
   * The moment at which clocks there show this. Of an hour that they skip it is what the offset before says, of one that
   * they show twice the second, as at the server.
   */
  momentOf(clock: TimestampValue): TimestampValue {
    if (isInfinite(clock)) return clock;
    const shown = wholeSeconds(clock);
    demandKnown(shown - daySeconds);
    const before = this.#offsetAt(shown - daySeconds);
    const change = this.#changeBetween(shown - daySeconds, shown + daySeconds);
    if (change === null) return shifted(clock, -before);
    const after = this.#offsetAt(change);
    const [early, late] = [shown - before, shown - after];
    const isAfter = early < change && late < change ? false : (early > change && late >= change) || early <= late;
    return shifted(clock, -(isAfter ? after : before));
  }

  /** The first second with another offset than `from`; null where `to` has the same. */
  #changeBetween(from: number, to: number): number | null {
    const offset = this.#offsetAt(from);
    if (this.#offsetAt(to) === offset) return null;
    let [same, other] = [from, to];
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      if (this.#offsetAt(middle) === offset) same = middle;
      else other = middle;
    }
    return other;
  }

  /** Seconds east of UTC, `seconds` after 1970. */
  #offsetAt(seconds: number): number {
    const day = Math.floor(seconds / daySeconds);
    let known = this.#days.get(day);
    if (known === undefined) {
      const first = this.#read(day * daySeconds);
      known = first === this.#read((day + 1) * daySeconds - 1) ? first : null;
      if (this.#days.size > 5_000) this.#days.clear();
      this.#days.set(day, known);
    }
    return known ?? this.#read(seconds);
  }

  #read(seconds: number): number {
    const [, sign, hours = '0', minutes = '0', rest = '0'] =
      offsetPattern.exec(this.#format.format(seconds * 1_000)) ?? [];
    const offset = Number(hours) * 3_600 + Number(minutes) * 60 + Number(rest);
    return sign === '-' ? -offset : offset;
  }
}

function wholeSeconds(micros: TimestampValue): number {
  const seconds = micros / 1_000_000n;
  return Number(micros % 1_000_000n < 0n ? seconds - 1n : seconds) + secondsTo2000;
}

function demandKnown(seconds: number): void {
  if (seconds < 0 || seconds > lastSecond)
    throw new ExpressionFailure('a time zone by name is known from 1970-01-02 on');
}

function shifted(micros: TimestampValue, seconds: number): TimestampValue {
  return checkTimestamp(micros + BigInt(seconds) * 1_000_000n);
}
