const csi = '\u001b[';

/**
 * A text in place of the one before, from the top of the terminal. In one write, each line erased only behind what it says
 * now, and shown at once where the terminal knows how (mode 2026): nothing is blank in between. What is too long for the
 * screen is cut, since a screen that scrolls can't be painted over.
 */
export function repaint(text: string, rows: number): string {
  const lines = text.trimEnd().split('\n');
  const room = Math.max(1, rows - 1);
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`];
  return `${csi}?2026h${csi}H${shown.map((line) => `${line}${csi}K\n`).join('')}${csi}J${csi}?2026l`;
}
