const plain = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** 1,234,567 */
export function count(value: number): string {
  return plain.format(Math.round(value));
}

/** 1.23M */
export function compact(value: number): string {
  return Math.abs(value) < 1000 ? plain.format(Math.round(value)) : short.format(value).replace('K', 'k');
}

/** 4.2 a second, 0.3, 12.3k */
export function rate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 10) return perSecond < 0.05 ? '<0.1' : perSecond.toFixed(1);
  return compact(perSecond);
}

/** 1.5 GB, in powers of ten as disks are sold and the configuration is written. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let at = 0;
  let shown = value;
  while (shown >= 999.5 && at < units.length - 1) {
    shown /= 1000;
    at++;
  }
  return `${at === 0 || shown >= 99.5 ? Math.round(shown) : Number(shown.toPrecision(2))} ${units[at]}`;
}

/** "1 transaction", "2 transactions" */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
