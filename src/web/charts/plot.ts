import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { moment, utc } from '../format/times.ts';
import type { Point } from './series.ts';

const height = 150;
/** Of time, up to the newest point: a few seconds are no picture. */
const leastSeconds = 60;

export interface PlotOptions {
  readonly format: (value: number) => string;
  readonly reading: (text: string) => void;
}

/** One line over time on a canvas, in the colours of the page. `reading` is told what stands under the pointer. */
export class Plot {
  readonly #plot: uPlot;
  readonly #resized: ResizeObserver;

  constructor(place: HTMLElement, points: readonly Point[], options: PlotOptions) {
    const style = getComputedStyle(place);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const font = `11px ${style.fontFamily}`;
    const axis = {
      stroke: colour('--muted'),
      font,
      grid: { stroke: colour('--grid'), width: 1 },
      ticks: { show: false },
    };
    this.#plot = new uPlot(
      {
        width: Math.max(200, place.clientWidth),
        height,
        padding: [8, 22, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        scales: {
          x: { range: (_, first, last) => [Math.min(first, last - leastSeconds), last] },
          y: { range: (_, __, top) => [0, niceTop(top)] },
        },
        axes: [
          {
            ...axis,
            size: 26,
            values: (_, splits) => splits.map((at) => moment(at * 1000).replace(/:00$/, '')),
            space: 72,
          },
          {
            ...axis,
            size: 62,
            splits: (plot) => niceSteps(plot.scales.y?.max ?? 0),
            values: (_, splits) => splits.map((value) => options.format(value)),
          },
        ],
        series: [
          {},
          {
            stroke: colour('--line-1'),
            fill: colour('--fill-1'),
            width: 1.5,
            points: { show: false },
            spanGaps: false,
          },
        ],
        hooks: {
          setCursor: [
            (plot) => {
              const at = plot.cursor.idx;
              const seconds = at == null ? undefined : plot.data[0][at];
              const value = at == null ? undefined : plot.data[1]?.[at];
              options.reading(
                seconds === undefined || value == null
                  ? ''
                  : `${options.format(value)} at ${moment(seconds * 1000)} (${utc(seconds * 1000)})`,
              );
            },
          ],
        },
      },
      columns(points),
      place,
    );
    this.#resized = new ResizeObserver(() => this.#plot.setSize({ width: Math.max(200, place.clientWidth), height }));
    this.#resized.observe(place);
  }

  update(points: readonly Point[]): void {
    this.#plot.setData(columns(points));
  }

  destroy(): void {
    this.#resized.disconnect();
    this.#plot.destroy();
  }
}

function columns(points: readonly Point[]): uPlot.AlignedData {
  return [points.map(({ atMs }) => atMs / 1000), points.map(({ value }) => value)];
}

/** Never a scale of nothing, and air above the highest. */
function niceTop(top: number | null): number {
  return top === null || !(top > 0) ? nothing : top * 1.15;
}

/** The scale of a line that is nothing everywhere: it has no other number to read. */
const nothing = 1e-9;

/** A few round numbers from 0 on. */
function niceSteps(top: number): number[] {
  if (top <= nothing) return [0];
  const rough = top / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, at) => at * step);
}
