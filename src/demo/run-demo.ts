import { DemoState } from './demo-state.ts';
import { Display } from './display.ts';
import { Performance } from './performance.ts';
import { timedLine } from './plain-lines.ts';
import type { DemoSession, Scenario } from './scenario.ts';
import { type DemoResult, keptText, passed, resultJson, resultText } from './summary.ts';

export interface DemoOptions {
  readonly scenario: Scenario;
  /** How long the clients write. */
  readonly seconds: number;
  /** Leaves the servers running and says where they are. */
  readonly keep: boolean;
  /** One JSON document on `out` at the end; what happens meanwhile goes to standard error. */
  readonly json: boolean;
  /** Ends the demo early; everything is cleaned up all the same. */
  readonly signal: AbortSignal;
  readonly out: NodeJS.WriteStream;
  /** For tests: called when the target has caught up, before it is compared. */
  readonly beforeCompare?: (target: DemoSession) => Promise<void>;
}

/**
 * Two servers, clients that write, a route from one to the other whose worker is killed half-way,
 * and a comparison of every row. Returns the exit code: 0 where both sides are equal, 1 where they are not, 130 where
 * it was interrupted. Throws a TidelockError where it could not be done. Leaves nothing behind but what `keep` asks for.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { signal, json, out } = options;
  const text = json ? process.stderr : out;
  const state = new DemoState(options.seconds, options.scenario);
  const display = new Display(state, text);
  try {
    const result = await perform(options, state, display);
    // The live screen is gone from the terminal by now, and what happened with it.
    if (display.vanishes) for (const { atMs, text: what } of state.events) text.write(`${timedLine(atMs, what)}\n`);
    out.write(json ? `${JSON.stringify(resultJson(result))}\n` : `\n${resultText(result)}`);
    return passed(result) ? 0 : 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    text.write('Interrupted; everything is removed.\n');
    return 130;
  } finally {
    display.close();
    if (state.kept !== null) text.write(`\n${state.kept}`);
  }
}

async function perform(options: DemoOptions, state: DemoState, display: Display): Promise<DemoResult> {
  const { scenario, signal, beforeCompare } = options;
  signal.throwIfAborted();
  state.event(scenario.opening);
  const stage = await scenario.stage();
  state.ports = { source: stage.source.port, target: stage.target.port };
  const keep = (): boolean => options.keep && !signal.aborted;
  try {
    signal.throwIfAborted();
    const performance = new Performance({ scenario, stage, state, signal, beforeCompare });
    try {
      return await performance.run();
    } finally {
      display.close();
      await performance.close();
    }
  } finally {
    await stage.strike(keep());
    if (keep()) state.kept = keptText(stage);
  }
}
