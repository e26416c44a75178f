import type { Command } from 'commander';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { CommandLine } from '../command-line.ts';
import { addLifecycle, goesOnText, type LifecycleOptions } from '../lifecycle.ts';

interface StartOptions extends LifecycleOptions {
  readonly takeover?: boolean;
  readonly acceptSchemaChange?: boolean;
}

export function addStart(program: Command, line: CommandLine): void {
  addLifecycle<StartOptions>(program, {
    line,
    spec: {
      name: 'start [routes...]',
      summary: 'let routes run that were stopped or have halted',
      example: 'tidelock start sales-to-reporting --accept-schema-change',
    },
    prepare: ({ takeover = false, acceptSchemaChange = false }) => {
      const options = { takeover, acceptSchemaChange };
      return (control, route, asked) => control.start(route, options, asked, line.signal);
    },
    tell: (document) => {
      const { name, holder } = document;
      if (holder === null) {
        const { code, message, remedy } = fail(routeErrors.notTaken, { route: name });
        return { err: `${code} ${message}\n${remedy}\n` };
      }
      if (holder !== undefined) return { out: `${name} is taken over by ${holder.host}\n` };
      return { out: `${name} is to run\n`, err: goesOnText(document) };
    },
  })
    .option('--takeover', 'take the route from the engine that has it, at once, for one that stands by')
    .option('--accept-schema-change', 'the changed table definitions are the same at the target now');
}
