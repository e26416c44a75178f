const scientific = /^(-?)([0-9])(?:\.([0-9]+))?e([-+])([0-9]+)$/;

/**
 * The text that PostgreSQL shows for a number whose shortest digits these are: with an exponent of two digits and more from 10^15 (float4: 10^6) on and
 * below 10^-4, without one else.
 */
export function floatShown(canonical: string, bits: 32 | 64): string {
  const number = Number(canonical);
  if (!Number.isFinite(number) || number === 0) return canonical;
  const [, sign = '', first = '', rest = '', direction = '', power = ''] =
    scientific.exec(number.toExponential()) ?? [];
  const exponent = Number(`${direction}${power}`);
  if (exponent >= -4 && exponent < (bits === 64 ? 15 : 6)) {
    const digits = first + rest;
    if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
    const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
    const fraction = digits.slice(exponent + 1);
    return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
  }
  const fraction = rest === '' ? '' : `.${rest}`;
  return `${sign}${first}${fraction}e${direction}${power.padStart(2, '0')}`;
}
