import { placeText } from '../../control/node-place.ts';
import type { ParkedRequest } from '../../control/parked/ask-parked.ts';
import { chosenParked } from '../../control/parked/chosen-parked.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { ParkingOutcome } from '../../core/parked.ts';
import { type CommandLine, writeJson } from '../command-line.ts';
import { counted } from '../counted.ts';
import { durationOption } from '../duration-option.ts';
import { askedHere, type ControlOptions, openControl } from '../open-control.ts';
import { whileWaiting } from '../while-waiting.ts';
import { causeOf, tablesText } from './list-parked.ts';

export interface ParkedRequestOptions extends ControlOptions {
  readonly all?: boolean;
  readonly withEarlier?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  readonly timeout: string;
}

interface Named {
  readonly route: string;
  readonly ids: readonly string[];
}

export async function retryParked(line: CommandLine, named: Named, options: ParkedRequestOptions): Promise<number> {
  const { withEarlier = false } = options;
  const timeoutMs = durationOption('--timeout', options.timeout);
  const ids = chosenIds(named, options);
  return await askFor(line, named.route, { action: 'retry', ids, withEarlier, timeoutMs }, options);
}

export async function discardParked(line: CommandLine, named: Named, options: ParkedRequestOptions): Promise<number> {
  const { route } = named;
  const timeoutMs = durationOption('--timeout', options.timeout);
  const ids = chosenIds(named, options);
  if (!options.reason?.trim())
    throw fail(configErrors.arguments, { why: '"tidelock parked discard" wants --reason TEXT' });
  await using control = await openControl(line, options);
  const { parked, target } = await control.parked(route);
  const going = ids === 'all' ? parked : [...new Set(ids)].map((id) => chosenParked(route, parked, id));
  const rows = going.reduce((sum, one) => sum + one.rows, 0);
  line.err.write(
    `${route}: ${counted(going.length, 'parked transaction')} with ${counted(rows, 'row change')} ${going.length === 1 ? 'is' : 'are'} given up for good, ` +
      `and ${placeText(target)} stays without them:\n` +
      going
        .slice(0, 20)
        .map(({ id, position, tables }) => `  ${id} at ${position}: ${tablesText(tables)}\n`)
        .join('') +
      (going.length > 20 ? `  and ${going.length - 20} more\n` : ''),
  );
  if (!options.yes) throw fail(configErrors.needsConsent, { command: `parked discard ${route}` });
  // Those that are there now: what parks while somebody reads the list above is not given up.
  const listed = going.map(({ id }) => String(id));
  return await askFor(line, route, { action: 'discard', ids: listed, withEarlier: false, timeoutMs }, options);
}

function chosenIds({ ids }: Named, { all = false }: ParkedRequestOptions): ParkedRequest['ids'] {
  if (all === ids.length > 0) {
    throw fail(configErrors.arguments, { why: all ? 'give numbers or --all, not both' : 'give numbers, or --all' });
  }
  return all ? 'all' : ids;
}

/** Where no engine has the route, this command does it itself. */
const states = ['fenced', 'retrying'];

async function askFor(
  line: CommandLine,
  route: string,
  request: ParkedRequest,
  options: ParkedRequestOptions,
): Promise<number> {
  await using control = await openControl(line, options);
  const waiting = control.askParked(route, request, askedHere(options.reason), line.signal);
  const { result: document } = await whileWaiting(line, control, { routes: [route], waiting, states });
  if (!document.done) throw fail(routeErrors.parkingNotDone, { route, seconds: request.timeoutMs / 1000 });
  if (options.json) writeJson(line, document);
  else line.out.write(textOf(route, document));
  return document.failed.length + document.waiting.length === 0 ? 0 : 1;
}

function textOf(route: string, { applied, failed, waiting, discarded }: ParkingOutcome): string {
  const said = [
    applied.length > 0 && `${applied.length} applied`,
    discarded.length > 0 && `${discarded.length} discarded`,
    failed.length > 0 && `${failed.length} failed again`,
    waiting.length > 0 && `${waiting.length} wait for those`,
  ].filter(Boolean);
  const lines = failed.map((one) => `  ${one.id} ${one.code} ${causeOf(one)}\n`);
  return `${route}: ${said.length === 0 ? 'nothing was parked' : said.join(', ')}\n${lines.join('')}`;
}
