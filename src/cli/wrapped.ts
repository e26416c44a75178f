import stringWidth from 'string-width';

/** Words as whole as the width allows, each line indented: what a terminal breaks by itself starts in the first column. */
export function wrapped(
  sentence: string,
  { indent, columns, hang = 0 }: { readonly indent: number; readonly columns: number | null; readonly hang?: number },
) {
  const lines: string[] = [];
  let width = 0;
  for (const word of sentence.split(' ')) {
    const wordWidth = stringWidth(word);
    const last = lines.at(-1);
    if (last === undefined || (columns !== null && width + 1 + wordWidth > columns)) {
      // Further lines of what hangs stand behind the first.
      const margin = last === undefined ? indent : indent + hang;
      lines.push(' '.repeat(margin) + word);
      width = margin + wordWidth;
    } else {
      lines[lines.length - 1] = `${last} ${word}`;
      width += 1 + wordWidth;
    }
  }
  return lines;
}
