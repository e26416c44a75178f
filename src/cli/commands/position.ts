import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { sourceErrors } from '../../core/errors/catalogue/source.ts';
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
import { type OpenedRoute, openRoute, placeOfNode } from '../open-route.ts';

interface PositionOptions extends CommonOptions {
  readonly adopt?: string | true;
  readonly yes?: boolean;
}

export function addPosition(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'position <route>',
    summary: 'where the route stands; with --adopt, accept where it goes on',
    example: 'tidelock position sales-to-reporting --adopt --yes',
  })
    .option('--adopt [position]', "go on from this position, or from the queue's own")
    .option('--yes', 'do it')
    .action(
      exits(line, async (name: string, options: PositionOptions) => {
        const definition = openConfiguration(line, options).routes.demand(name, 'route');
        await using route = openRoute(definition);
        return options.adopt === undefined ? await show(line, route, options) : await adopt(line, route, options);
      }),
    );
}

async function show(line: CommandLine, route: OpenedRoute, { json }: PositionOptions): Promise<number> {
  const { definition, source } = route;
  const stored = (await (await route.store()).read())?.checkpoint ?? null;
  const checkpoint = stored?.phase === 'ready' ? stored.position : null;
  const [{ position, retainedBytes, queue }, queuePosition] = await Promise.all([
    source.status(),
    source.queuePosition().catch(() => null),
  ]);
  const phase = stored?.phase ?? null;
  if (json) {
    writeJson(line, {
      version: 1,
      route: definition.name,
      phase,
      checkpoint,
      source: position,
      queue: { state: queue, position: queuePosition, retainedBytes },
    });
    return 0;
  }
  line.out.write(`checkpoint at ${definition.to.name}:    ${checkpoint ?? (phase === 'creating' ? 'the load has not ended' : 'none')}
queue at ${definition.from.name}:         ${queuePosition ?? 'none'} (${queue}${retainedBytes === null ? '' : `, ${retainedBytes.toLocaleString('en')} bytes are kept`})
end of the log at ${definition.from.name}: ${position}
`);
  return 0;
}

async function adopt(
  line: CommandLine,
  route: OpenedRoute,
  { adopt: wish, yes, json }: PositionOptions,
): Promise<number> {
  const { definition, source } = route;
  const { name } = definition;
  const store = await route.store();
  const stored = await store.read();
  demandIdle(name, stored, 'adopted');
  const position = typeof wish === 'string' ? source.order.parse(wish) : await source.queuePosition();
  if (position === null) {
    throw fail(sourceErrors.slotMissing, { route: name, slot: definition.given.slot ?? queueName(definition) });
  }
  const before = stored?.checkpoint?.phase === 'ready' ? stored.checkpoint.position : 'none';
  line.err.write(
    `${name}: the checkpoint at ${placeOfNode(definition.to)} becomes ${position}, it is ${before}. ` +
      `What the source committed between the two is left out, or applied a second time.\n`,
  );
  if (!yes) throw fail(configErrors.needsConsent, { command: `position ${name} --adopt` });
  const identity = await source.identity();
  await store.migrate();
  await store.register();
  // Under a lease of its own: an engine that starts meanwhile waits, one that has halted is fenced and can't interfere.
  const attempt = await store.acquireLease(freshHolder(), stored?.holder != null);
  if (!attempt.granted) demandIdle(name, await store.read(), 'adopted');
  await store.setReady(identity, position);
  await store.releaseLease();
  if (json) writeJson(line, { version: 1, route: name, position });
  else line.out.write(`${name} goes on from ${position}: "tidelock start ${name}"\n`);
  return 0;
}
