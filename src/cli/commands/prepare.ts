import { once } from 'node:events';
import type { Command } from 'commander';
import { placeText } from '../../control/node-place.ts';
import { openRoute } from '../../control/open-route.ts';
import { type PreparedDocument, preparedDocument, prepareRoute } from '../../control/prepare-route.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { armFailpoints } from '../../core/failpoint.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { openConfiguration } from '../open-configuration.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl, serviceAddress } from '../open-control.ts';

interface PrepareCommandOptions extends ControlOptions {
  readonly hold?: boolean;
  readonly copiedAt?: string;
  readonly reason?: string;
}

export function addPrepare(program: Command, line: CommandLine): void {
  addControlCommand(program, {
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
    .option('--reason <text>', 'why, for the journal')
    .action(exits(line, (route: string, options: PrepareCommandOptions) => prepare(line, route, options)));
}

async function prepare(line: CommandLine, name: string, options: PrepareCommandOptions): Promise<number> {
  armFailpoints(line.env.TIDELOCK_FAILPOINTS);
  const { copiedAt = null, reason } = options;
  if (options.hold) return await hold(line, name, options);
  await using control = await openControl(line, options);
  show(line, await control.prepare(name, { copiedAt }, askedHere(reason), line.signal), options);
  return 0;
}

/** A snapshot goes with the session that has made it: this command's own. */
async function hold(line: CommandLine, name: string, options: PrepareCommandOptions): Promise<number> {
  const { copiedAt, reason } = options;
  if (copiedAt !== undefined)
    throw fail(configErrors.arguments, {
      why: '--hold is for a copy that is to come, --copied-at for one that is there',
    });
  if (serviceAddress(line, options) !== undefined)
    throw fail(configErrors.arguments, {
      why: '--hold keeps a session at the source for as long as this command runs: give it with -c FILE, not through a service',
    });
  await using route = openRoute(openConfiguration(line, options).routes.demand(name, 'route'));
  const queue = await prepareRoute(route, { copiedAt: null }, askedHere(reason), line.signal);
  try {
    const document = preparedDocument(route, queue, { holds: true });
    show(line, document, options);
    if (document.snapshot === null) return 1;
    if (!line.signal.aborted) await once(line.signal, 'abort');
    return 0;
  } finally {
    await queue.close();
  }
}

function show(
  line: CommandLine,
  document: PreparedDocument,
  { json, hold: isHeld = false }: PrepareCommandOptions,
): void {
  if (json) writeJson(line, document);
  else line.out.write(text(document, isHeld));
}

function text({ route, source, position, copiedAt, snapshot, loads }: PreparedDocument, isHeld: boolean): string {
  const lines = [`${route}: what is committed behind ${position} is kept at ${placeText(source)} for it`];
  if (copiedAt !== null) lines.push(`it begins at ${copiedAt}, where its copy stands`);
  else if (snapshot !== null)
    lines.push(`until ^C a copy as of exactly there reads the snapshot ${snapshot}: pg_dump --snapshot=${snapshot}`);
  else if (isHeld)
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
