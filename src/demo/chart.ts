/** Braille cells have two columns of four dots; bits of each column's dots, from the bottom up. */
const dots = [
  [0x40, 0x04, 0x02, 0x01],
  [0x80, 0x20, 0x10, 0x08],
] as const;

export interface ChartOptions {
  /** Cells: each takes two values. */
  readonly width: number;
  /** Lines: each has four steps. */
  readonly height: number;
  /** What reaches the top. */
  readonly top: number;
}

/** The last values as a filled curve, the newest at the right once there are enough of them. */
export function chart(values: readonly number[], options: ChartOptions): string[] {
  const { width, height, top } = options;
  const shown = values.slice(-width * 2);
  const steps = shown.map((value) => {
    const scaled = Math.round((value / (top || 1)) * height * 4);
    // What is more than nothing is seen.
    return Math.min(Math.max(scaled, value > 0 ? 1 : 0), height * 4);
  });
  const lines: string[] = [];
  for (let line = height - 1; line >= 0; line -= 1) {
    let text = '';
    for (let cell = 0; cell < width; cell += 1) text += brailleCell(steps[cell * 2], steps[cell * 2 + 1], line);
    lines.push(text);
  }
  return lines;
}

function brailleCell(left: number | undefined, right: number | undefined, line: number): string {
  let bits = 0;
  for (const [column, filled] of [left ?? 0, right ?? 0].entries())
    for (const [step, bit] of (dots[column] ?? []).entries()) if (filled > line * 4 + step) bits |= bit;
  return bits === 0 ? ' ' : String.fromCodePoint(0x2800 + bits);
}

/**
 * The scale for what is usual: a short peak, such as the backlog of a load that arrives at once, is cut at the top and does not flatten all
 * the rest.
 */
export function usualTop(values: readonly number[]): number {
  const moving = values.filter((value) => value > 0).sort((a, b) => a - b);
  return roundTop((moving[Math.floor(moving.length * 0.9)] ?? 0) * 1.2);
}

/** The next larger round number: 1, 2 or 5 and zeros, so that the scale does not jump about. */
export function roundTop(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}
