/** Where frames go: a terminal. process.stdout and process.stderr fit. */
export type Terminal = NodeJS.WriteStream;

const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';

export const style = {
  plain: (text: string): string => text,
  bold: (text: string): string => `\x1b[1m${text}\x1b[22m`,
  dim: (text: string): string => `\x1b[2m${text}\x1b[22m`,
  red: (text: string): string => `\x1b[31m${text}\x1b[39m`,
  green: (text: string): string => `\x1b[32m${text}\x1b[39m`,
  yellow: (text: string): string => `\x1b[33m${text}\x1b[39m`,
  cyan: (text: string): string => `\x1b[36m${text}\x1b[39m`,
};

/** Pieces of one line, each with its style: lengths are counted without the styles. */
export type Line = readonly (string | { readonly text: string; readonly as: keyof typeof style })[];

/**
 * The whole terminal, on its alternate screen, so that what was there comes back. A frame is one write of full lines
 * over the last one, cut to the terminal's size at that moment: nothing flickers, and nothing breaks on a resize.
 */
export class Screen {
  readonly #terminal: Terminal;
  readonly #restore = (): void => void this.#terminal.write(leave);
  #frame: (() => readonly Line[]) | null = null;
  #closed = false;
  readonly #redraw = (): void => this.#draw();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.write(enter);
    // Also where the process ends without close(): a terminal without a cursor is a nuisance.
    process.once('exit', this.#restore);
    terminal.on('resize', this.#redraw);
  }

  get columns(): number {
    return this.#terminal.columns || 80;
  }

  get rows(): number {
    return this.#terminal.rows || 24;
  }

  /** `frame` is asked again after a resize. */
  show(frame: () => readonly Line[]): void {
    this.#frame = frame;
    this.#draw();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#frame = null;
    this.#terminal.off('resize', this.#redraw);
    process.off('exit', this.#restore);
    this.#restore();
  }

  #draw(): void {
    if (this.#frame === null) return;
    const lines = this.#frame()
      .slice(0, this.rows)
      .map((line) => `${cutToWidth(line, this.columns)}\x1b[K`);
    // 2026: terminals that know it show the frame only when it is complete; others ignore it.
    this.#terminal.write(`\x1b[?2026h\x1b[H${lines.join('\r\n')}\x1b[J\x1b[?2026l`);
  }
}

function cutToWidth(line: Line, columns: number): string {
  let left = columns;
  let result = '';
  for (const piece of line) {
    const { text, as } = typeof piece === 'string' ? { text: piece, as: 'plain' as const } : piece;
    const cut = [...text].slice(0, left).join('');
    left -= [...cut].length;
    result += style[as](cut);
    if (left <= 0) break;
  }
  return result;
}
