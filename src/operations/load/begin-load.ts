import { randomUUID } from 'node:crypto';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { BegunLoad, StoredLoad } from '../../core/load.ts';
import type { RouteDefinition } from '../../core/route.ts';
import type { SourceReader } from '../../core/source-reader.ts';
import { tableLabel } from '../../core/table.ts';
import type { TableDefinition } from '../../core/table-facts.ts';
import type { Target } from '../../core/target.ts';
import { versionOf } from '../../pipeline/judge-definition.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import type { WatermarkWindows } from '../../pipeline/watermark-windows.ts';
import type { WantedLoad } from './load-desk.ts';

export interface BeginLoadOptions {
  readonly definition: RouteDefinition;
  readonly reader: SourceReader;
  readonly target: Pick<Target, 'checkLoad'>;
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
  { source, existing, job }: WantedLoad,
  onBegun: (load: StoredLoad) => void,
): Promise<void> {
  const route = definition.name;
  const known = tableDefinition(source);
  if (known === null) throw fail(routeErrors.loadWithoutKey, { route, table: source });
  const table = { schema: known.schema, name: known.name };
  const key = await reader.key(table);
  if (key === null) throw fail(routeErrors.loadWithoutKey, { route, table: source });
  const size = await reader.size(table);
  const loadOf = (definitionNow: TableDefinition): BegunLoad => {
    const { tables } = mapper.bind(versionOf(definitionNow));
    const expected = { expectedRows: size.rows, expectedBytes: size.bytes };
    return { load: { source, targets: tables.map(tableLabel), existing, key: key.columns, ...expected, job }, tables };
  };
  // What keeps the load from beginning is the load's fault, not the stream's.
  await target.checkLoad(loadOf(known));
  const id = randomUUID();
  let close: () => void = () => {};
  try {
    const begun = new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      close = windows.open({
        low: id,
        high: id,
        tables: new Map(),
        close: (part) => {
          const now = tableDefinition(source);
          if (now === null) {
            reject(fail(routeErrors.loadWithoutKey, { route, table: source }));
            return part;
          }
          const begins = loadOf(now);
          onBegun({
            ...begins.load,
            after: null,
            ended: false,
            again: [],
            rows: 0,
            bytes: 0,
            done: false,
            tableId: null,
          });
          resolve();
          return { ...part, begins };
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
