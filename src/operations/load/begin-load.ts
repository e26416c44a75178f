import { randomUUID } from 'node:crypto';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { BegunLoad, StoredLoad } from '../../core/load.ts';
import type { OwnedShare } from '../../core/owned-share.ts';
import type { RouteDefinition } from '../../core/route.ts';
import type { ReadKey, SourceReader } from '../../core/source-reader.ts';
import { tableLabel } from '../../core/table.ts';
import type { TableDefinition } from '../../core/table-facts.ts';
import type { Target } from '../../core/target.ts';
import { versionOf } from '../../pipeline/judge-definition.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import type { WatermarkWindows } from '../../pipeline/watermark-windows.ts';
import { placedTables } from './keyless-view.ts';
import { boundPart, replacedPart } from './replaced-part.ts';
import { tellingColumns } from './telling-columns.ts';

export interface BeginLoadOptions {
  readonly definition: RouteDefinition;
  readonly reader: SourceReader;
  readonly target: Pick<Target, 'checkLoads' | 'takesKeyless'>;
  readonly windows: WatermarkWindows;
  readonly mapper: TableMapper;
  readonly signal: AbortSignal;
  tableDefinition(label: string): TableDefinition | null;
}

/**
 * Begins the load of a table that the route follows already: where the stream passes a watermark. `onBegun` is called there, before
 * anything behind it is met.
 */
export async function beginLoad(
  { definition, reader, target, windows, mapper, signal, tableDefinition }: BeginLoadOptions,
  { source, existing, where, job }: Pick<StoredLoad, 'source' | 'existing' | 'where' | 'job'>,
  onBegun: (load: StoredLoad, part: OwnedShare | null) => void,
): Promise<void> {
  const route = definition.name;
  const known = tableDefinition(source);
  if (known === null) throw fail(routeErrors.loadWithoutKey, { route, table: source });
  const table = { schema: known.schema, name: known.name };
  const found = await reader.key(table);
  // Without one all of it is loaded, by its places, or nothing.
  const isKeyless = found === null && where === null && existing !== 'merge';
  const isPlaced = isKeyless && (await placedTables(target, reader, [mapper.bind(versionOf(known))])).size > 0;
  if (found === null && !isPlaced) throw fail(routeErrors.loadWithoutKey, { route, table: source });
  const key: ReadKey = found ?? { columns: [] };
  const part = where === null ? null : await definition.tables.part(where);
  // Only what is known to be a condition on the key is given to a server.
  const bound = part === null ? null : boundPart(versionOf(known), { route, key, part });
  const size = await reader.size(table, bound);
  const loadOf = (definitionNow: TableDefinition): BegunLoad => {
    const binding = mapper.bind(versionOf(definitionNow));
    const { tables } = binding;
    const expected = { expectedRows: size.rows, expectedBytes: size.bytes };
    const load = { source, targets: tables.map(tableLabel), existing, where, key: key.columns, ...expected, job };
    const telling = tables.map((made) => (found === null ? [] : tellingColumns(binding, made, key.columns)));
    return { load, tables, telling, where: part === null ? null : replacedPart(binding, { route, key, part }) };
  };
  // What keeps the load from beginning is the load's fault, not the stream's.
  const [obstacle] = await target.checkLoads([loadOf(known)]);
  if (obstacle !== undefined) throw obstacle;
  const id = randomUUID();
  let close: () => void = () => {};
  try {
    const begun = new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      close = windows.open({
        low: id,
        high: id,
        tables: new Map(),
        close: (passing) => {
          const now = tableDefinition(source);
          if (now === null) {
            reject(fail(routeErrors.loadWithoutKey, { route, table: source }));
            return passing;
          }
          let begins: BegunLoad;
          try {
            begins = loadOf(now);
          } catch (error) {
            // The stream has come to another definition: what was asked for is not to be had any more, and the stream goes on.
            reject(error);
            return passing;
          }
          const begun: StoredLoad = {
            ...begins.load,
            // Until the target tells that they have gone.
            emptying: existing === 'replace' && key.columns.length > 0,
            after: null,
            ended: false,
            again: [],
            rows: 0,
            bytes: 0,
            done: false,
            tableId: null,
          };
          onBegun(begun, part);
          resolve();
          return { ...passing, begins };
        },
      });
    });
    begun.catch(() => {});
    await reader.watermark(id, signal);
    await begun;
  } finally {
    close();
  }
}
