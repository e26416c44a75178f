import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { Position } from '../../core/position.ts';
import { askedBy } from '../asked-by.ts';
import {
  addCommand,
  type CommandLine,
  type CommonOptions,
  exits,
  openConfiguration,
  writeJson,
} from '../command-line.ts';
import { openRoute } from '../open-route.ts';

interface SkipOptions extends CommonOptions {
  readonly transaction?: string;
  readonly reason?: string;
}

export function addSkip(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'skip <route>',
    summary: 'set the transaction aside that the route has halted at, and go on; what touches its keys parks behind it',
    example: 'tidelock skip sales-to-reporting --transaction 751 --reason "order 12 is mended by hand"',
  })
    .option('--transaction <id>', 'the one that status names')
    .option('--reason <text>', 'why, for the journal')
    .action(exits(line, (route: string, options: SkipOptions) => skip(line, route, options)));
}

async function skip(line: CommandLine, name: string, options: SkipOptions): Promise<number> {
  const { transaction, reason } = options;
  const why = transaction === undefined ? '--transaction ID' : reason?.trim() ? null : '--reason TEXT';
  if (why !== null) throw fail(configErrors.arguments, { why: `"tidelock skip" wants ${why}` });
  const definition = openConfiguration(line, options).routes.demand(name, 'route');
  await using route = openRoute(definition);
  const store = await route.store();
  const stored = await store.read();
  const status = stored?.status ?? null;
  const halted = status?.state === 'failed' ? (status.reason?.transaction ?? null) : null;
  if (stored === null || status?.reason == null || halted === null || halted.id !== transaction) {
    const at = halted === null ? '' : ` at transaction ${halted.id}`;
    const state = status?.state ?? 'not running';
    throw fail(routeErrors.notHalted, { route: name, transaction: transaction ?? '', state, at });
  }
  const { code, message, remedy = '' } = status.reason;
  await store.parked.skip({
    transaction: halted.id,
    position: halted.position as Position | null,
    code,
    message,
    remedy,
    reason: reason?.trim() ?? '',
    askedBy: askedBy(),
  });
  // An engine that has halted there tries again; one that was stopped stays so.
  const wanted = stored.wanted.state === 'running' ? await store.setWanted('running') : stored.wanted;
  if (options.json) {
    const { id, position } = halted;
    writeJson(line, { version: 1, route: name, transaction: id, position, desiredState: wanted.state });
  } else {
    const next = wanted.state === 'running' ? 'the route goes on' : `"tidelock start ${name}" lets the route go on`;
    line.out.write(`${name}: transaction ${halted.id} will be parked, ${next}\n`);
  }
  return 0;
}
