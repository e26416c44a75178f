import type { Command } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { addLifecycle, retentionText } from '../lifecycle.ts';

export function addStop(program: Command, line: CommandLine): void {
  addLifecycle(program, {
    line,
    spec: {
      name: 'stop [routes...]',
      summary: 'stop routes until they are started again; remembered at the target, the queue at the source is kept',
      example: 'tidelock stop sales-to-reporting',
    },
    prepare: () => (control, route, asked) => control.stop(route, asked),
    tell: (document) => ({
      out: `${document.name} is to stop; "tidelock status ${document.name}" tells when it has\n`,
      err: retentionText(document, 'until it is started or dropped'),
    }),
  });
}
