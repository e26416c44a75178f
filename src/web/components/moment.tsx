import { moment, utc } from '../format/times.ts';

/** A point in time in the reader's own zone; UTC on hover. */
export function Moment({ at }: { readonly at: string | number }) {
  const ms = typeof at === 'number' ? at : Date.parse(at);
  if (!Number.isFinite(ms)) return <span>{String(at)}</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={utc(ms)}>
      {moment(ms)}
    </time>
  );
}
