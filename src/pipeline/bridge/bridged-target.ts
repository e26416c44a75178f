import type { Row } from '../../core/cell.ts';
import type { Change } from '../../core/change.ts';
import type { Connector } from '../../core/connector.ts';
import { carryErrors } from '../../core/errors/catalogue/carry.ts';
import { fail, TidelockError } from '../../core/errors/tidelock-error.ts';
import type { Finding } from '../../core/finding.ts';
import type { BegunLoad } from '../../core/load.ts';
import { loadObstacles } from '../../core/load-obstacles.ts';
import type { NodeType } from '../../core/route.ts';
import { type TableVersion, tableLabel } from '../../core/table.ts';
import type { ConsumerOptions, Loader, Target, TargetOptions } from '../../core/target.ts';
import { Bridge, type BridgeOptions, tablesOf } from './bridge.ts';
import { bridgeSchema, type SchemaBridge } from './bridge-schema.ts';
import { bridgedConsumer } from './bridged-consumer.ts';

/** The target of a route, behind a bridge where its source is of another vendor. `connectors` as in the registry. */
export function openTarget(connectors: (type: NodeType) => Connector, options: TargetOptions): Target {
  const { route } = options;
  const { name, from, to, convert } = route;
  const target = connectors(to.type).target(options);
  const [source, own] = [connectors(from.type), connectors(to.type)];
  if (source.values.family === own.values.family) return target;
  return bridgedTarget(target, {
    ...{ route: name, node: to.name, from: source.values, to: own.values, conversions: convert },
    schema: { from: source, to: own, toVendor: to.type, conversions: convert },
    aheadBytes: Math.floor(route.apply.memoryBytes / shareAhead),
  });
}

/** Half of what is read ahead: what a few groups need. */
const shareAhead = 16;

export interface BridgedTargetOptions extends Omit<BridgeOptions, 'columns'> {
  /** For findings. */
  readonly node: string;
  readonly schema: SchemaBridge;
  /** Of rows that are carried ahead of being applied. */
  readonly aheadBytes: number;
}

/**
 * A target for rows of another vendor: the same contract, behind which tables and values are put into the target's own forms. All that asks for no rows is
 * passed on as it is.
 */
export function bridgedTarget(target: Target, options: BridgedTargetOptions): Target {
  const bridge = new Bridge({ ...options, columns: (table) => target.columns(table) });
  /** From what was made for the target's columns to what they are by now. */
  const anew = new Bridge({ ...options, from: options.to, columns: (table) => target.columns(table) });
  const carriedTables = async (tables: readonly TableVersion[]): Promise<TableVersion[]> => {
    await bridge.know(tables);
    return tables.map((table) => bridge.table(table));
  };
  /** What the target finds by a key has to be the row that is meant, also where that is not loaded yet. */
  const carriedLoad = async (load: BegunLoad): Promise<BegunLoad> => {
    const tables = await carriedTables(load.tables);
    for (const table of load.tables)
      for (const column of bridge.coarserKeys(table))
        throw fail(carryErrors.coarserKey, { route: options.route, table: tableLabel(table), column });
    if (load.where !== null) bridge.demandPart(load.tables, load.where);
    return { ...load, tables };
  };
  // Rows without a key are told by their text, and that is another one here.
  const { takesKeyless: _, ...rest } = target;
  return {
    ...rest,
    preflight: async (tables) => {
      await bridge.look(tables);
      const errors = tables.flatMap((table) => bridge.refusals(table));
      const whole = tables.filter((table) => bridge.refusals(table).length === 0);
      const found = await target.preflight(whole.map((table) => bridge.table(table)));
      const coarser = tables.flatMap((table) =>
        bridge.coarserKeys(table).map((column) => coarserKey(tableLabel(table), column, options.node)),
      );
      return [...errors.map((error) => findingOf(error, options.node)), ...coarser, ...found];
    },
    carrier: async (table) => {
      await bridge.know([table]);
      return bridge.carrier(table);
    },
    compareSchema: async (expected) => {
      const { left, ...description } = bridgeSchema(expected, options.schema);
      return { ...(await target.compareSchema({ ...description, left: [] })), left };
    },
    checkLoads: async (loads) => {
      const carried = new Map<BegunLoad, BegunLoad>();
      const errors = await loadObstacles(loads, async (some) => {
        for (const load of some) carried.set(load, await carriedLoad(load));
      });
      return carried.size === 0 ? errors : [...errors, ...(await target.checkLoads([...carried.values()]))];
    },
    loader: async (settings) =>
      bridgedLoader(await target.loader(settings), { bridge, carriedTables, carriedLoad }, settings.position),
    consumer: async (settings) =>
      bridgedConsumer(await target.consumer(bridgedOptions(settings, bridge, anew)), bridge, options.aheadBytes),
  };
}

function findingOf(error: ReturnType<Bridge['refusals']>[number], node: string): Finding {
  const { table } = error.place as { readonly table?: string };
  return {
    level: 'error',
    code: error.code,
    node,
    ...(table !== undefined && { table }),
    message: error.message,
    remedy: error.remedy,
  };
}

function coarserKey(table: string, column: string, node: string): Finding {
  return {
    level: 'warning',
    code: 'target.coarserKey',
    node,
    table,
    message: `the key column ${table}.${column} may hold texts for equal there that the source tells apart (case, accents, or blanks at the end): the second of two such rows halts the route, and the table is not loaded beside the stream`,
    remedy:
      'Give the column a collation that compares bytes, such as utf8mb4_0900_bin (MariaDB: utf8mb4_nopad_bin; PostgreSQL: any that is deterministic).',
  };
}

interface Carrier {
  readonly bridge: Bridge;
  carriedTables(tables: readonly TableVersion[]): Promise<TableVersion[]>;
  carriedLoad(load: BegunLoad): Promise<BegunLoad>;
}

function bridgedLoader(loader: Loader, { bridge, carriedTables, carriedLoad }: Carrier, position: string): Loader {
  return {
    sort: async (tables) => {
      const carried = await carriedTables(tables);
      const sorted = await loader.sort(carried);
      return sorted.map((table) => tables[carried.indexOf(table)] ?? table);
    },
    empty: async (tables) => loader.empty(await carriedTables(tables)),
    load: async (table, batches) => {
      const [carried] = await carriedTables([table]);
      return loader.load(carried as TableVersion, carriedBatches(bridge, { table, position }, batches));
    },
    begin: async (loads) => loader.begin(await Promise.all(loads.map(carriedLoad))),
    commit: (...args) => loader.commit(...args),
    commitTables: (tables) => loader.commitTables(tables),
    commitChange: (change) => loader.commitChange(change),
    abort: () => loader.abort(),
  };
}

async function* carriedBatches(
  bridge: Bridge,
  { table, position }: { readonly table: TableVersion; readonly position: string },
  batches: AsyncIterable<readonly Row[]>,
): AsyncIterable<readonly Row[]> {
  for await (const rows of batches) yield bridge.rows(table, rows, position);
}

/**
 * Parked changes that had no value come back as they were: those of the transforms in the source's tables, ours in the mapped ones; all others in the
 * forms of the target. Somebody may have given the target's columns other types meanwhile, so that a value has a form by now, or another one.
 */
function bridgedOptions(options: ConsumerOptions, bridge: Bridge, anew: Bridge): ConsumerOptions {
  return {
    ...options,
    map: async (changes, position, onRefused) => {
      const made: Change[] = [];
      const tables = tablesOf({ changes });
      await bridge.renew(tables);
      await anew.renew(tables);
      for (const change of changes) {
        const mark = made.length;
        try {
          if (change.kind !== 'unmapped') {
            const isOutdated = tablesOf({ changes: [change] }).some((table) => anew.isOutdated(table));
            made.push(isOutdated ? anew.change(change, position) : change);
            continue;
          }
          const mapped = change.mapped === true ? [change.change] : await options.map([change], position, onRefused);
          for (const one of mapped) made.push(bridge.change(one, position));
        } catch (error) {
          if (onRefused === undefined || !(error instanceof TidelockError)) throw error;
          made.length = mark;
          onRefused(change);
        }
      }
      return made;
    },
    share: (share) => options.share({ ...share, table: bridge.original(share.table) }),
  };
}
