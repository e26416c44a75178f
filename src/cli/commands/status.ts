import type { Command } from 'commander';
import { pause } from '../../core/pause.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { addControlCommand, type ControlOptions, openControl } from '../open-control.ts';
import { repaint } from '../repaint.ts';
import { terminalColumns, usesColours } from '../terminal.ts';

const watchMs = 2_000;

interface StatusOptions extends ControlOptions {
  readonly watch?: boolean;
}

export function addStatus(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'status [route]',
    summary: 'state, reason, lag and counts of all routes, or of one',
    example: 'tidelock status --watch',
  })
    .option('-w, --watch', 'go on until ^C; with --json one document a line')
    .action(exits(line, (route: string | undefined, options: StatusOptions) => status(line, route, options)));
}

/** 2 where a target could not be asked: what is known is printed all the same. */
async function status(line: CommandLine, route: string | undefined, options: StatusOptions): Promise<number> {
  await using control = await openControl(line, options);
  for (;;) {
    const document = await control.status(route === undefined ? undefined : [route]);
    const { routes } = document;
    if (options.json) writeJson(line, document);
    else {
      // Measuring text takes a tenth of a second to load, which a script that asks often does not need.
      const { statusText } = await import('../status-text.ts');
      const text = statusText(routes, { colours: usesColours(line), columns: terminalColumns(line) });
      line.out.write(options.watch && line.out.isTTY ? repaint(text, line.out.rows) : text);
    }
    if (!options.watch) return routes.some(({ state }) => state === 'unknown') ? 2 : 0;
    await pause(watchMs, line.signal);
    if (line.signal.aborted) return 130;
  }
}
