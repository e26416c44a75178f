import stringWidth from 'string-width';

/** Words as whole as the width allows, each line indented: what a terminal breaks by itself starts in the first column. */
export function wrapped(
  sentence: string,
  { indent, columns }: { readonly indent: number; readonly columns: number | null },
) {
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let width = 0;
  for (const word of sentence.split(' ')) {
    const wordWidth = stringWidth(word);
    const last = lines.at(-1);
    if (last === undefined || (columns !== null && width + 1 + wordWidth > columns)) {
      lines.push(margin + word);
      width = indent + wordWidth;
    } else {
      lines[lines.length - 1] = `${last} ${word}`;
      width += 1 + wordWidth;
    }
  }
  return lines;
}
