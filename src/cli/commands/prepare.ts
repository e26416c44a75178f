import { once } from 'node:events';
import type { Command } from 'commander';
import { placeText } from '../../control/node-place.ts';
import { openRoute } from '../../control/open-route.ts';
import { type PreparedDocument, preparedDocument, prepareRoute } from '../../control/prepare-route.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { armFailpoints } from '../../core/failpoint.ts';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { openConfiguration } from '../open-configuration.ts';

interface PrepareCommandOptions extends CommonOptions {
  readonly hold?: boolean;
  readonly copiedAt?: string;
}

export function addPrepare(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'prepare <route>',
    summary:
      "make the route's queue for a copy by other means (dump, backup, disk), and print where the copy has to stand",
    example: 'tidelock prepare sales-to-reporting --hold',
  })
    .option('--hold', 'keep a snapshot of that very position until ^C: pg_dump --snapshot reads it')
    .option(
      '--copied-at <position>',
      'the copy that was made since has everything up to here: what its server has replayed',
    )
    .action(exits(line, (route: string, options: PrepareCommandOptions) => prepare(line, route, options)));
}

async function prepare(line: CommandLine, name: string, options: PrepareCommandOptions): Promise<number> {
  armFailpoints(line.env.TIDELOCK_FAILPOINTS);
  const { hold = false, copiedAt = null, json = false } = options;
  if (hold && copiedAt !== null)
    throw fail(configErrors.arguments, {
      why: '--hold is for a copy that is to come, --copied-at for one that is there',
    });
  const definition = openConfiguration(line, options).routes.demand(name, 'route');
  await using route = openRoute(definition);
  const queue = await prepareRoute(route, { copiedAt, signal: line.signal });
  try {
    const document = preparedDocument(route, queue, { holds: hold });
    if (json) writeJson(line, document);
    else line.out.write(text(document, { hold, loads: definition.load.mode === 'initial' }));
    if (hold && document.snapshot === null) return 1;
    if (hold && !line.signal.aborted) await once(line.signal, 'abort');
    return 0;
  } finally {
    await queue.close();
  }
}

function text(
  { route, source, position, copiedAt, snapshot }: PreparedDocument,
  { hold, loads }: { readonly hold: boolean; readonly loads: boolean },
): string {
  const lines = [`${route}: what is committed behind ${position} is kept at ${placeText(source)} for it`];
  if (copiedAt !== null) lines.push(`it begins at ${copiedAt}, where its copy stands`);
  else if (snapshot !== null)
    lines.push(`until ^C a copy as of exactly there reads the snapshot ${snapshot}: pg_dump --snapshot=${snapshot}`);
  else if (hold)
    lines.push(
      `its snapshot went with the command that made it: "tidelock drop ${route} --yes" and prepare it again for another`,
    );
  else
    lines.push(
      `a backup that is restored to a later position is named with "tidelock prepare ${route} --copied-at POSITION"`,
    );
  if (loads) lines.push('write load: { mode: none } into the route before it is started');
  return `${lines.join('\n')}\n`;
}
