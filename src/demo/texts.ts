const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const money = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export function number(value: number): string {
  return grouped.format(value);
}

export function amount(text: string): string {
  return money.format(Number(text));
}

export function seconds(ms: number, digits: number): string {
  return `${(ms / 1_000).toFixed(digits)} s`;
}

export function milliseconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : seconds(ms, 1);
}
