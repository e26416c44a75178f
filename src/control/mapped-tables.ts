import { TidelockError } from '../core/errors/tidelock-error.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import { TableMapper } from '../pipeline/table-mapper.ts';
import type { OpenedRoute } from './open-route.ts';

export interface MappedTable {
  readonly source: TableVersion;
  /** As it is at the target. */
  readonly mapped: TableVersion;
}

interface MappingReport {
  /** Of a table that can't be mapped, or of all of them; it is left out. */
  onError(error: TidelockError, table?: string): unknown;
  onBinding?(binding: ReturnType<TableMapper['bind']>): void;
}

/** The tables of a route as its source has them now. An error about the way to the server is thrown. */
export async function mappedTables(
  { definition, source }: Pick<OpenedRoute, 'definition' | 'source'>,
  { onError, onBinding }: MappingReport,
): Promise<readonly MappedTable[]> {
  const reported = async <T>(ask: () => Promise<readonly T[]>, table?: string): Promise<readonly T[]> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TidelockError) || error.recovery === 'retry' || error.recovery === 'usage') throw error;
      onError(error, table);
      return [];
    }
  };
  await definition.tables.prepare();
  const mapper = new TableMapper(definition.name, definition.tables);
  const tables: MappedTable[] = [];
  for (const table of await reported(() => source.tables())) {
    const bound = await reported(async () => {
      const binding = mapper.bind(table);
      onBinding?.(binding);
      return binding.tables;
    }, tableLabel(table));
    tables.push(...bound.map((mapped) => ({ source: table, mapped })));
  }
  return tables;
}
