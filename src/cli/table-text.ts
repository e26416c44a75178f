/** Columns as wide as their widest cell. A column whose title ends in `>` is set to the right, without it. */
export function tableText(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const right = titles.map((title) => title.endsWith('>'));
  const head = titles.map((title) => title.replace(/>$/, ''));
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  return lines
    .map((cells) =>
      widths
        .map((width, column) => {
          const cell = cells[column] ?? '';
          return right[column] ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
