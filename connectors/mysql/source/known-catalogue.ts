import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import { type CatalogueTable, readTables, versionOf } from '../catalogue/read-tables.ts';
import type { MysqlSession } from '../connect.ts';
import type { ServerFacts } from '../server-facts.ts';
import { nothingUnlogged, type UnloggedFacts } from './binlog/row-plan.ts';
import type { BinlogPosition } from './position/binlog-position.ts';
import { readEnd } from './start-check.ts';
import type { KnownCatalogue } from './transaction-assembler.ts';

/** Stored as bytes, or with digits that the log does not tell. */
const unloggedTypes = /^(?:uuid|inet4|inet6|(?:float|double)\(.*)$/;

/** What the binlog does not tell of the tables of a stream, read once as it begins. */
export async function readKnownCatalogue(
  session: MysqlSession,
  server: ServerFacts,
  isTaken: (schema: string, name: string) => boolean,
): Promise<KnownCatalogue> {
  // Before the catalogue: what was committed until here is in it.
  const position = await readEnd(session, server);
  return new Known(position, await readTables(session, isTaken), server);
}

class Known implements KnownCatalogue {
  readonly position: BinlogPosition;
  readonly #versions: ReadonlyMap<string, TableVersion>;
  readonly #unlogged: ReadonlyMap<string, UnloggedFacts>;

  constructor(position: BinlogPosition, tables: readonly CatalogueTable[], server: ServerFacts) {
    this.position = position;
    this.#versions = new Map(tables.map((table) => [tableLabel(table), versionOf(table)]));
    this.#unlogged = new Map(tables.map((table) => [tableLabel(table), unloggedOf(table, server)]));
  }

  table(table: TableName): TableVersion | null {
    return this.#versions.get(tableLabel(table)) ?? null;
  }

  hasSchema(schema: string): boolean {
    return [...this.#versions.values()].some((table) => table.schema === schema);
  }

  unlogged(table: TableName): UnloggedFacts {
    return this.#unlogged.get(tableLabel(table)) ?? nothingUnlogged;
  }
}

function unloggedOf({ columns }: CatalogueTable, { vendor }: ServerFacts): UnloggedFacts {
  return {
    generated: new Set(columns.filter((column) => column.generated).map(({ name }) => name)),
    types: new Map(columns.filter(({ type }) => unloggedTypes.test(type)).map(({ name, type }) => [name, type])),
    defined: vendor === 'mariadb' ? new Set(columns.map(({ name }) => name)) : null,
  };
}
