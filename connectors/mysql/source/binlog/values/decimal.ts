/** Bytes that so many decimal digits take. */
const bytesOf = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
const powers = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

export function decimalBytes(precision: number, scale: number): number {
  const whole = precision - scale;
  return groupBytes(whole) + groupBytes(scale);
}

function groupBytes(digits: number): number {
  return Math.floor(digits / 9) * 4 + (bytesOf[digits % 9] ?? 0);
}

/**
 * A DECIMAL to its last digit. Nine digits take four bytes, what is over stands before the point at the very left and behind it at
 * the very right; a negative number has all its bits inverted, and the first bit is the sign's.
 */
export function decimalText(bytes: Buffer, start: number, precision: number, scale: number): string {
  const negative = ((bytes[start] ?? 0) & 0x80) === 0;
  const mask = negative ? 0xff : 0;
  const whole = precision - scale;
  let at = start;
  let text = '';
  let first = 0x80;
  const take = (digits: number): number => {
    let value = 0;
    for (let n = bytesOf[digits] ?? 0; n > 0; n--) {
      value = value * 256 + ((bytes[at++] ?? 0) ^ mask ^ first);
      first = 0;
    }
    if (value >= (powers[digits] ?? 0)) throw new RangeError('a decimal with more digits than it may have');
    return value;
  };
  const over = whole % 9;
  if (over > 0) {
    const value = take(over);
    if (value > 0) text = String(value);
  }
  for (let left = whole - over; left > 0; left -= 9) {
    const value = take(9);
    if (text !== '') text += String(value).padStart(9, '0');
    else if (value > 0) text = String(value);
  }
  if (text === '') text = '0';
  if (scale > 0) {
    text += '.';
    let left = scale;
    for (; left >= 9; left -= 9) text += String(take(9)).padStart(9, '0');
    if (left > 0) text += String(take(left)).padStart(left, '0');
  }
  return negative ? `-${text}` : text;
}
