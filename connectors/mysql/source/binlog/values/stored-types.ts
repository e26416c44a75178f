/** Of 16 bytes, in their order. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Of 4 bytes. */
export function inet4Text(bytes: Buffer): string {
  return [...bytes].join('.');
}

/** Of 16 bytes, as MariaDB writes it: the longest run of zeros, also of one, is left out, and an address that holds one of IPv4 shows it as such. */
export function inet6Text(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at));
  const gap = longestZeros(words);
  const v4 = inet4Text(bytes.subarray(12));
  if (gap.start === 0 && gap.length === 6) return `::${v4}`;
  if (gap.start === 0 && gap.length === 5 && words[5] === 0xffff) return `::ffff:${v4}`;
  const hex = (some: readonly number[]): string => some.map((word) => word.toString(16)).join(':');
  if (gap.length === 0) return hex(words);
  return `${hex(words.slice(0, gap.start))}::${hex(words.slice(gap.start + gap.length))}`;
}

/** The first of the longest. */
function longestZeros(words: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
