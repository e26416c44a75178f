import { dashboard } from './dashboard.ts';
import type { DemoState } from './demo-state.ts';
import { PlainLines } from './plain-lines.ts';
import { Screen, type Terminal } from './screen.ts';

const frameMs = 250;

/** Shows the state until it is closed: live on a terminal, in plain lines elsewhere. */
export class Display {
  readonly #timer: NodeJS.Timeout;
  readonly #screen: Screen | null;

  constructor(state: DemoState, out: Terminal) {
    const live = out.isTTY === true && process.env.TERM !== 'dumb';
    const screen = live ? new Screen(out) : null;
    this.#screen = screen;
    if (screen === null) {
      const lines = new PlainLines(state, (line) => void out.write(`${line}\n`));
      this.#timer = setInterval(() => lines.tick(), frameMs);
      return;
    }
    const draw = (): void => screen.show(() => dashboard(state, { columns: screen.columns, rows: screen.rows }));
    draw();
    this.#timer = setInterval(() => {
      state.step();
      draw();
    }, frameMs);
  }

  /** Whether what was shown is gone from the terminal when it is closed. */
  get vanishes(): boolean {
    return this.#screen !== null;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#screen?.close();
  }
}
