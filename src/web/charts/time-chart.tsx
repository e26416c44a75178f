import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Moment } from '../components/moment.tsx';
import { ScrollArea } from '../components/scroll-area.tsx';
import { theme } from '../state/theme.ts';
import { chartSummary } from './chart-summary.ts';
import { Plot } from './plot.ts';
import { byMinute, type Point } from './series.ts';

export interface TimeChartProps {
  readonly title: string;
  readonly points: readonly Point[];
  readonly format: (value: number) => string;
}

/** A line over time, the same in a sentence, and the same in a table. */
export function TimeChart({ title, points, format }: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const [reading, setReading] = useState('');
  const id = useId();
  const shownTheme = theme.value;
  const isEmpty = points.every(({ value }) => value === null);

  // New points go to the plot that is there.
  useEffect(() => {
    if (place.current === null || isEmpty) return;
    plot.current = new Plot(place.current, points, { format, reading: setReading });
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shownTheme, format, isEmpty]);
  useEffect(() => plot.current?.update(points), [points]);

  return (
    <figure class="chart" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        {!isEmpty && <p class="muted">{reading === '' ? chartSummary(points, format) : reading}</p>}
      </figcaption>
      {isEmpty ? (
        <p class="empty">Nothing was measured in this time.</p>
      ) : (
        <>
          <div class="plot" ref={place} role="img" aria-label={`${title}. ${chartSummary(points, format)}`} />
          <details>
            <summary>As a table</summary>
            <MinuteTable title={title} points={points} format={format} />
          </details>
        </>
      )}
    </figure>
  );
}

function MinuteTable({ title, points, format }: TimeChartProps) {
  return (
    <ScrollArea label={`${title} by minute`} class="short">
      <table>
        <caption class="hidden">{title} by minute</caption>
        <thead>
          <tr>
            <th scope="col">Minute</th>
            <th scope="col" class="num">
              Mean
            </th>
            <th scope="col" class="num">
              Highest
            </th>
          </tr>
        </thead>
        <tbody>
          {byMinute(points).map(({ atMs, mean, top }) => (
            <tr key={atMs}>
              <th scope="row">
                <Moment at={atMs} />
              </th>
              <td class="num">{format(mean)}</td>
              <td class="num">{format(top)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollArea>
  );
}
