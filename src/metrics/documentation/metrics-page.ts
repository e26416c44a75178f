import { readFileSync } from 'node:fs';
import { groupRowBounds } from '../../core/work-meter.ts';
import { allMetrics, type ServiceMetric } from '../catalogue.ts';

const introduction = readFileSync(new URL('./introduction.md', import.meta.url), 'utf8').trim();

/** docs/metrics.md: how to get at them, and each metric of the catalogue. */
export function metricsPage(): string {
  return `${[introduction, '## Metrics', ...allMetrics().map(entry)].join('\n\n')}\n`;
}

function entry({ name, type, help, labels, about }: ServiceMetric & { about?: string }): string {
  const of = labels.length === 0 ? 'none' : labels.map((label) => `\`${label}\``).join(', ');
  const buckets = type === 'histogram' ? ` Buckets: ${groupRowBounds.join(', ')}.` : '';
  const more = about === undefined ? '' : ` ${about}`;
  return `### ${name}\n\n${help}.${more}${buckets}\n\n- Type: ${type}\n- Unit: ${unitOf(name)}\n- Labels: ${of}`;
}

/** Names end with their unit, as Prometheus has it. */
function unitOf(name: string): string {
  const base = name.replace(/_total$/, '');
  if (base.endsWith('_timestamp_seconds')) return 'seconds since 1970';
  if (base.endsWith('_seconds')) return 'seconds';
  if (base.endsWith('_bytes')) return 'bytes';
  if (/_(state|health|info)$/.test(base)) return 'none';
  return base.split('_').at(-1) ?? 'none';
}
