import { exactDuration, exactSize } from '../core/quantity-text.ts';

type Quantity = 'duration' | 'size';

/** Settings that are stored as milliseconds or bytes. */
export const quantities: Readonly<Record<string, Quantity>> = {
  'sequences.interval': 'duration',
  'apply.groupTime': 'duration',
  'apply.maxRowBytes': 'size',
  'apply.memory': 'size',
  'limits.lag.warn': 'duration',
  'limits.lag.critical': 'duration',
  'limits.retained.warn': 'size',
  'limits.retained.critical': 'size',
  'limits.memory': 'size',
};

/** `limits.lag.warn: 10s -> 20s`: a change, with values as the configuration writes them. */
export function settingText(name: string, before: unknown, after: unknown): string {
  return `${name}: ${valueText(name, before)} -> ${valueText(name, after)}`;
}

function valueText(name: string, value: unknown): string {
  if (value === null) return 'not set';
  if (typeof value === 'string') return value;
  const quantity = quantities[name];
  if (typeof value !== 'number' || quantity === undefined) return JSON.stringify(value);
  return quantity === 'duration' ? exactDuration(value) : exactSize(value);
}
