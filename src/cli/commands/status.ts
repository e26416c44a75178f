import type { Command } from 'commander';
import type { RouteView } from '../../control/route-view.ts';
import { pause } from '../../core/pause.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { addControlCommand, type ControlOptions, openControl } from '../open-control.ts';
import { repaint } from '../repaint.ts';
import type { StatusRow } from '../status-text.ts';
import { terminalColumns, usesColours } from '../terminal.ts';

const watchMs = 2_000;

interface StatusOptions extends ControlOptions {
  readonly watch?: boolean;
  readonly tables?: boolean;
}

export function addStatus(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'status [route]',
    summary: 'state, reason, lag and counts of all routes, or of one',
    example: 'tidelock status --watch',
  })
    .option('-w, --watch', 'go on until ^C; with --json one document a line')
    .option('--tables', 'the tables that each route carries, too, and where to')
    .action(exits(line, (route: string | undefined, options: StatusOptions) => status(line, route, options)));
}

/** 2 where a target could not be asked: what is known is printed all the same. */
async function status(line: CommandLine, route: string | undefined, options: StatusOptions): Promise<number> {
  await using control = await openControl(line, options);
  for (;;) {
    const document = await control.status(route === undefined ? undefined : [route]);
    const routes = options.tables ? await Promise.all(document.routes.map(withTables)) : document.routes;
    if (options.json) writeJson(line, { ...document, routes });
    else {
      // Measuring text takes a tenth of a second to load, which a script that asks often does not need.
      const { statusText } = await import('../status-text.ts');
      const style = { colours: usesColours(line), columns: terminalColumns(line), nowMs: Date.now() };
      const text = `${options.watch ? `${clockText(new Date())}\n` : ''}${statusText(routes, style)}`;
      line.out.write(options.watch && line.out.isTTY ? repaint(text, line.out.rows) : text);
    }
    if (!options.watch) return routes.some(({ state }) => state === 'unknown') ? 2 : 0;
    await pause(watchMs, line.signal);
    if (line.signal.aborted) return 130;
  }

  /** None of a route whose target can't be asked. */
  async function withTables(view: RouteView): Promise<StatusRow> {
    if (view.state === 'unknown') return view;
    return { ...view, tables: (await control.tables(view.name)).tables };
  }
}

/** Of this host, so that whoever looks at a screen knows that it is alive. */
function clockText(now: Date): string {
  const [hours, minutes, seconds] = [now.getHours(), now.getMinutes(), now.getSeconds()];
  return [hours, minutes, seconds].map((part) => String(part).padStart(2, '0')).join(':');
}
