import type { Command } from 'commander';
import type { AppliedRoute } from '../../control/apply-plan.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { durationOption } from '../duration-option.ts';
import { keepRowsOption } from '../keep-rows-option.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';
import { planText } from '../plan-text.ts';
import { usesColours } from '../terminal.ts';
import { reasonText, whileWaiting } from '../while-waiting.ts';

interface ApplyOptions extends ControlOptions {
  readonly keepRows?: readonly string[];
  readonly yes?: boolean;
  readonly timeout: string;
  readonly reason?: string;
}

export function addApply(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'apply [routes...]',
    summary: 'make the routes what the configuration says, while the other routes and tables flow on',
    example: 'tidelock apply sales-to-reporting --yes',
  })
    .option(...keepRowsOption)
    .option('--yes', 'also where rows at the target go, or tables leave the route')
    .option('--timeout <duration>', 'how long to wait until an engine has done it; exit code 1 where it has not', '10m')
    .option('--reason <text>', 'why, for the journal')
    .action(exits(line, (named: string[], options: ApplyOptions) => apply(line, named, options)));
}

/** 1 where a change has failed, or was not done in time: it is stored then, and the engine that has the route carries it out. */
async function apply(line: CommandLine, named: readonly string[], options: ApplyOptions): Promise<number> {
  const timeoutMs = durationOption('--timeout', options.timeout);
  await using control = await openControl(line, options);
  const { keepRows = [], json = false, reason } = options;
  const what = { ...(named.length > 0 && { routes: [...new Set(named)] }), keepRows };
  const plan = await control.plan(what);
  line.err.write(planText(plan, usesColours({ out: line.err, env: line.env })));
  const fingerprint = options.yes ? plan.fingerprint : null;
  const waiting = control.apply({ ...what, fingerprint, timeoutMs }, askedHere(reason), line.signal);
  const routes = plan.routes.flatMap(({ name, state }) => (state === 'changed' ? [name] : []));
  const { result: document } = await whileWaiting(line, control, { routes, waiting });
  if (json) writeJson(line, document);
  else for (const route of document.routes) line.out.write(outcomeText(route));
  if (line.signal.aborted) return 130;
  return document.routes.some(({ outcome }) => outcome === 'failed' || outcome === 'asked') ? 1 : 0;
}

function outcomeText({ name, outcome, reason }: AppliedRoute): string {
  const text = {
    unchanged: 'nothing was to be done',
    applied: 'applied',
    asked: 'asked for and not done yet: the engine that has the route, or takes it next, carries it out',
    failed: 'not applied',
    new: 'new: "tidelock run" begins it; one that runs already does so after SIGHUP',
  }[outcome];
  return `${name}: ${text}${reasonText(reason)}\n`;
}
