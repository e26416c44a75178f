import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { queueName } from '../../core/route.ts';
import {
  addCommand,
  type CommandLine,
  type CommonOptions,
  exits,
  openConfiguration,
  writeJson,
} from '../command-line.ts';
import { freshHolder } from '../fresh-holder.ts';
import { demandIdle } from '../idle-route.ts';
import { openRoute, placeOfNode } from '../open-route.ts';

interface DropOptions extends CommonOptions {
  readonly yes?: boolean;
}

export function addDrop(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'drop <route>',
    summary: "remove the route's slot, publication and stored state; rows stay as they are",
    example: 'tidelock drop sales-to-reporting --yes',
  })
    .option('--yes', 'do it')
    .action(exits(line, (name: string, options: DropOptions) => drop(line, name, options)));
}

async function drop(line: CommandLine, name: string, options: DropOptions): Promise<number> {
  const definition = openConfiguration(line, options).routes.demand(name, 'route');
  await using route = openRoute(definition);
  const store = await route.store();
  const stored = await store.read();
  demandIdle(name, stored, 'dropped');
  const tables = stored === null ? [] : await store.tables();
  const { queue, retainedBytes } = await route.source.status();
  const slot = definition.given.slot ?? queueName(definition);
  line.err.write(
    `${name}: at ${placeOfNode(definition.from)} slot and publication ${slot} (${queue}, ${retainedBytes ?? 0} bytes are kept)` +
      `${definition.given.slot === undefined ? '' : ', which were given, stay'}; ` +
      `at ${placeOfNode(definition.to)} the state of ${tables.length} tables in the schema tidelock` +
      `${tables.length === 0 ? '' : `: ${tables.map(({ target }) => target).join(', ')}`}` +
      `${stored === null || stored.parked.count === 0 ? '' : `, and ${stored.parked.count} parked transactions, which are lost with it`}\n`,
  );
  if (!options.yes) throw fail(configErrors.needsConsent, { command: `drop ${name}` });
  if (stored !== null) {
    // An engine that starts meanwhile finds the lease taken; one that has halted is fenced and makes no new queue.
    const attempt = await store.acquireLease(freshHolder(), stored.holder !== null);
    if (!attempt.granted) demandIdle(name, await store.read(), 'dropped');
  }
  // The queue first: what is stored tells that there may be one.
  await route.source.dropQueue();
  await store.drop();
  if (options.json) writeJson(line, { version: 1, route: name, dropped: true, tables: tables.length });
  else line.out.write(`${name} is dropped\n`);
  return 0;
}
