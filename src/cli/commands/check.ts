import type { Command } from 'commander';
import type { CheckedRoute } from '../../control/check-route.ts';
import type { CheckedNode } from '../../control/check-shared.ts';
import { TidelockError } from '../../core/errors/tidelock-error.ts';
import { checkText } from '../check-text.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { addControlCommand, type ControlOptions, openControl } from '../open-control.ts';
import { sideBySide } from '../side-by-side.ts';
import { terminalColumns, usesColours } from '../terminal.ts';

/** Routes that are looked at side by side; each takes a connection or two. */
const atOnce = 4;

export function addCheck(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'check [route]',
    summary: 'what keeps routes, nodes and the service from running, with the statements that mend it; changes nothing',
    example: 'tidelock check sales-to-reporting',
  }).action(exits(line, (route: string | undefined, options: ControlOptions) => check(line, route, options)));
}

/** 1 where something keeps a route from running, 2 where a side could not be asked: what is known is told all the same. */
async function check(line: CommandLine, route: string | undefined, options: ControlOptions): Promise<number> {
  await using control = await openControl(line, options);
  const names = route === undefined ? await control.routes() : [route];
  const [shared, answers] = await Promise.all([
    control.checkShared(names),
    sideBySide(names, atOnce, (name) => control.check(name).catch(unreached)),
  ]);
  const routes = answers.flatMap((answer) => ('code' in answer ? [] : [answer]));
  const unasked = answers.flatMap((answer) => ('code' in answer ? [answer] : []));
  const { nodes, service } = shared;
  const [first] = unasked;
  // Where nobody answers there is nothing else to tell.
  const silent = unasked.map(({ code }) => code);
  const isKnown = ({ findings }: CheckedNode): boolean => findings.some(({ code }) => !silent.includes(code));
  if (first !== undefined && routes.length === 0 && !shared.nodes.some(isKnown)) throw first;
  if (options.json)
    writeJson(line, {
      version: 1,
      routes,
      nodes,
      service,
      ...(first && { unchecked: unasked.map((error) => error.toJSON()) }),
    });
  else {
    const style = { colours: usesColours(line), columns: terminalColumns(line) };
    line.out.write(checkText({ routes, nodes, service: route === undefined ? service : null }, style));
    for (const { code, message, remedy } of unasked) line.err.write(`${code} ${message}\n${remedy}\n`);
  }
  if (unasked.length > 0) return 2;
  return [...routes, ...nodes, ...(route === undefined ? [service] : [])].every(({ ok }) => ok) ? 0 : 1;
}

function unreached(error: unknown): TidelockError | CheckedRoute {
  if (error instanceof TidelockError && error.recovery !== 'usage') return error;
  throw error;
}
