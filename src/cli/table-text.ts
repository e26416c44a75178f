import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';

/** Narrower than this nothing can be told from its cut text. */
const narrowest = 8;
const gap = 2;

/**
 * Columns as wide as their widest cell. A column whose title ends in `>` is set to the right, without it. Where a terminal
 * has not room for all (`columns`; null: any width), the widest to the left give way: their texts lose their middle, since
 * names begin and end alike. One whose title ends in `!`, and each set to the right, stays whole.
 */
export function tableText(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | null = null,
): string {
  const right = titles.map((title) => title.endsWith('>'));
  const whole = titles.map((title) => /[>!]$/.test(title));
  const head = titles.map((title) => title.replace(/[>!]$/, ''));
  const lines = [head, ...rows];
  const wanted = head.map((_, at) => Math.max(...lines.map((cells) => stringWidth(cells[at] ?? ''))));
  const widths = fitted(wanted, { whole, columns });
  return lines
    .map((cells) =>
      widths
        .map((width, at) => {
          const cell = cells[at] ?? '';
          const shown = stringWidth(cell) <= width ? cell : cliTruncate(cell, width, { position: 'middle' });
          const blanks = ' '.repeat(Math.max(0, width - stringWidth(shown)));
          return right[at] ? blanks + shown : shown + blanks;
        })
        .join(' '.repeat(gap))
        .trimEnd(),
    )
    .join('\n');
}

function fitted(
  wanted: readonly number[],
  { whole, columns }: { readonly whole: readonly boolean[]; readonly columns: number | null },
): number[] {
  const widths = [...wanted];
  const total = (): number => widths.reduce((sum, width) => sum + width, gap * (widths.length - 1));
  while (columns !== null && total() > columns) {
    let widest = -1;
    for (const [at, width] of widths.entries())
      if (!whole[at] && width > narrowest && width > (widths[widest] ?? 0)) widest = at;
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}
