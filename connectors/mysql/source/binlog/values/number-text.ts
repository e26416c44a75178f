/** Beyond so many digits before or behind the point the server writes an exponent. */
const plainDigits = 15;

/** A double as MySQL and MariaDB write it: the shortest digits that give it back. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('a double that is no number');
  const plain = String(value);
  // Without a zero of its own sign, an exponent or many digits both write the same.
  if (plain.length <= plainDigits && !plain.includes('e') && value !== 0) return plain;
  return digitsText(value, value.toExponential());
}

/** A float by the shortest digits that give the same float back: SELECT shows six of them, which may not. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('a float that is no number');
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toExponential(digits - 1);
    if (Math.fround(Number(text)) === value) return digitsText(value, text);
  }
  return digitsText(value, value.toExponential(8));
}

/** `exponential` as JavaScript writes it: 1.25e-7. */
function digitsText(value: number, exponential: string): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', power = '0'] = exponential.split('e');
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '').replace(/0+$/, '');
  const point = Number(power) + 1;
  if (point > plainDigits || point < 1 - plainDigits) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${fraction}e${Number(power)}`;
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const three: readonly string[] = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'));

/** Six digits of a number below a million. */
export function sixDigits(value: number): string {
  const thousands = Math.floor(value / 1_000);
  return `${three[thousands]}${three[value - thousands * 1_000]}`;
}

/** A time in whole microseconds as String() writes it, which of so large a number takes as long as reading a row: seconds are the same for many. */
export function microsText(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  return seconds < 1 ? String(micros) : `${seconds}${sixDigits(micros - seconds * 1_000_000)}`;
}
