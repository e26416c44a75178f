/** The number in canonical form: no exponent, no plus sign, no zeros that say nothing. The text is any decimal number. */
export function plainDecimal(text: string): string {
  if (plain.test(text)) return text;
  const [, sign = '', whole = '', fraction = '', power = '0'] = number.exec(text) ?? [];
  const shift = Number(power);
  const digits = whole + fraction;
  const point = whole.length + shift;
  const before = point <= 0 ? '' : digits.slice(0, point).padEnd(point, '0');
  const behind = point >= digits.length ? '' : digits.slice(Math.max(point, 0)).padStart(digits.length - point, '0');
  return assemble(sign === '-', before, behind);
}

/** What most are already. */
const plain = /^(?:0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])$/;
const number = /^([-+]?)([0-9]*)\.?([0-9]*)(?:[eE]([-+]?[0-9]+))?$/;

function assemble(negative: boolean, before: string, behind: string): string {
  const whole = before.replace(/^0+/, '');
  const fraction = behind.replace(/0+$/, '');
  if (whole === '' && fraction === '') return '0';
  return `${negative ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Digits before the point (none of a number below 1) and behind it. Of a scale below 0 the last zeros before the point count for the latter, as minus. */
export function digitsOf(plain: string): { readonly whole: number; readonly scale: number } {
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
  const significant = whole.replace(/^0+/, '').length;
  if (fraction !== '') return { whole: significant, scale: fraction.length };
  return { whole: significant, scale: significant === 0 ? 0 : -(whole.length - whole.replace(/0+$/, '').length) };
}

/** With at most `scale` digits behind the point, rounded half away from zero as SQL does. */
export function roundDecimal(plain: string, scale: number): string {
  const negative = plain.startsWith('-');
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
  if (fraction.length <= scale && scale >= 0) return plain;
  const digits = whole + fraction;
  const kept = whole.length + scale;
  if (kept < 0) return '0';
  const up = (digits[kept] ?? '0') >= '5' ? 1n : 0n;
  const rounded = (BigInt(digits.slice(0, kept) || '0') + up).toString();
  if (scale <= 0) return assemble(negative, rounded + '0'.repeat(-scale), '');
  const padded = rounded.padStart(scale + 1, '0');
  return assemble(negative, padded.slice(0, -scale), padded.slice(-scale));
}

/** ColumnCodec.form of columns that show each number with so many digits behind the point, and no zero before it but one. */
export function decimalForm(scale: number): string {
  return `decimal ${scale}`;
}

/** With exactly `scale` digits behind the point, as columns of a fixed scale show it; the number has no more. */
export function padDecimal(plain: string, scale: number): string {
  if (scale <= 0) return plain;
  const [whole = '', fraction = ''] = plain.split('.');
  return `${whole}.${fraction.padEnd(scale, '0')}`;
}
