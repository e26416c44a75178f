import type { DemoState } from './demo-state.ts';
import { amount, milliseconds, number, seconds } from './texts.ts';

/** For logs and pipes: one line now and then, and one for everything that happens. */
export class PlainLines {
  readonly #state: DemoState;
  readonly #print: (line: string) => void;
  #nextAtMs = 0;

  constructor(state: DemoState, print: (line: string) => void) {
    this.#state = state;
    this.#print = print;
    for (const event of state.events) this.#line(event.atMs, event.text);
    state.onEvent((event) => this.#line(event.atMs, event.text));
  }

  tick(): void {
    const state = this.#state;
    if (state.elapsedMs < this.#nextAtMs) return;
    this.#nextAtMs = state.elapsedMs + 2_000;
    const rate = (which: 'written' | 'arrived'): string => `${number(state.rate(which, 2_000))}/s`;
    const { transactions } = state.workload;
    const lag = state.lagMs === null ? '' : `, lag ${milliseconds(state.lagMs)}`;
    const bank =
      state.bankTotal === null ? '' : `, bank ${amount(state.bankTotal)}${state.bankViolations > 0 ? ' (WRONG)' : ''}`;
    const written = `written ${number(transactions)} (${rate('written')})`;
    const arrived = `arrived ${number(state.arrived)} (${rate('arrived')})`;
    this.#line(state.clockMs, `${state.phase}: ${written}, ${arrived}${lag}${bank}`);
  }

  #line(atMs: number | null, text: string): void {
    this.#print(timedLine(atMs, text));
  }
}

/** `atMs` null: before the clock runs. */
export function timedLine(atMs: number | null, text: string): string {
  return `${(atMs === null ? '' : seconds(atMs, 1)).padStart(7)}  ${text}`;
}
