/** So many digits in a row, a point among them, are more than a double may hold. */
const long = /[\d.]{17}/;
const token = /"(?:[^"\\]|\\.)*"|-?\d+(\.\d+)?(?:e([-+]?\d+))?/gi;

/**
 * True where MySQL reads every number of a JSON document as it is. It holds integers of 64 bits and doubles; a decimal of more digits, which a document can
 * have got from SQL (`JSON_ARRAY(1.234567890123456789)`), is rounded without a word when it is read from its text.
 */
export function keepsNumbers(document: string): boolean {
  if (!long.test(document)) return true;
  for (const [text, fraction, exponent] of document.matchAll(token)) {
    if (text.startsWith('"')) continue;
    if (fraction === undefined && exponent === undefined && isInteger64(BigInt(text))) continue;
    if (decimalForm(text) !== decimalForm(String(Number(text)))) return false;
  }
  return true;
}

function isInteger64(value: bigint): boolean {
  return value >= -(2n ** 63n) && value < 2n ** 64n;
}

/** One text for each value: its digits without zeros around them, and the power of ten of the last one. */
function decimalForm(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([-+]?\d+))?$/i.exec(text) ?? [];
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return '0';
  return `${sign}${digits}e${Number(exponent) - fraction.length + (all.length - digits.length)}`;
}
