import { createHash } from 'node:crypto';
import { ABSENT, type Cell, type Row, UNCHANGED } from '../../core/cell.ts';
import { isRowChange, type RowChange } from '../../core/change.ts';
import type { ParkedKey, ParkedStore } from '../../core/parked.ts';
import type { RouteDefinition } from '../../core/route.ts';
import type { RouteStateStore } from '../../core/route-state-store.ts';
import { tableLabel } from '../../core/table.ts';
import type { RouteReader } from '../route-readings.ts';
import { chosenParked } from './chosen-parked.ts';
import { type ParkedView, parkedView, readParked } from './list-parked.ts';

export interface ShowOptions {
  /** With the values of its rows: they may be confidential. */
  readonly values: boolean;
  /** Changes to show at most. */
  readonly limit: number;
  /** Keys to show at most. */
  readonly keys: number;
}

/** `parked show --json`. */
export interface ParkedDocument extends ParkedView {
  readonly version: 1;
  readonly route: string;
  readonly keys: readonly ParkedKey[];
  readonly changes: readonly ShownChange[];
}

type ShownCell = string | null | { readonly unchanged: true } | { readonly absent: true } | { readonly base64: string };

export interface ShownChange {
  /** `insert`, `update`, `delete`, `truncate`; with `unmapped` before it where the transforms had no value. */
  readonly change: string;
  readonly tables: readonly string[];
  /** Digest of the row's key, before and after where it changes. */
  readonly keys: readonly string[];
  readonly before?: Readonly<Record<string, ShownCell>>;
  readonly after?: Readonly<Record<string, ShownCell>>;
}

export async function showParked(
  definition: RouteDefinition,
  id: string,
  { reader, values, limit, keys }: ShowOptions & { readonly reader: RouteReader },
): Promise<ParkedDocument> {
  const { name } = definition;
  const show = async (store: RouteStateStore): Promise<ParkedDocument> => {
    const parked = chosenParked(name, await readParked(store), id);
    const changes = await readChanges(store.parked, parked.id, { limit, values });
    return {
      version: 1,
      route: name,
      ...parkedView(name, parked),
      keys: await store.parked.keys(parked.id, keys),
      changes,
    };
  };
  return await reader.store(definition, show, { long: true });
}

async function readChanges(
  store: ParkedStore,
  id: number,
  { limit, values }: { readonly limit: number; readonly values: boolean },
): Promise<ShownChange[]> {
  const shown: ShownChange[] = [];
  if (limit === 0) return shown;
  for await (const changes of store.changes(id)) {
    for (const change of changes) {
      if (change.kind === 'truncate')
        shown.push({ change: change.kind, tables: change.tables.map(tableLabel), keys: [] });
      else if (change.kind === 'unmapped')
        shown.push({ change: `unmapped ${change.change.kind}`, tables: change.tables.map(tableLabel), keys: [] });
      else if (isRowChange(change)) shown.push(shownRow(change, values));
      if (shown.length === limit) return shown;
    }
  }
  return shown;
}

function shownRow(change: RowChange, values: boolean): ShownChange {
  const { table, kind } = change;
  const before = kind === 'insert' ? null : change.before;
  const after = kind === 'delete' ? null : change.after;
  const digests = [before, after].flatMap((row) => (row === null ? [] : (keyDigest(change, row) ?? [])));
  const named = (row: Row): Record<string, ShownCell> =>
    Object.fromEntries(table.columns.map(({ name }, at) => [name, shownCell(row[at] ?? null)]));
  return {
    change: kind,
    tables: [tableLabel(table)],
    keys: [...new Set(digests)],
    ...(values && before !== null && { before: named(before) }),
    ...(values && after !== null && { after: named(after) }),
  };
}

/** Null where the image does not hold the key. */
function keyDigest({ table }: RowChange, row: Row): string | null {
  const digest = createHash('sha256').update(tableLabel(table));
  for (const [at, { key }] of table.columns.entries()) {
    if (!key) continue;
    const cell = row[at];
    if (cell === undefined || cell === UNCHANGED || cell === ABSENT) return null;
    digest.update(cell === null ? '\0' : '\0\0').update(cell ?? '');
  }
  return digest.digest('hex').slice(0, 12);
}

function shownCell(cell: Cell): ShownCell {
  if (cell === UNCHANGED) return { unchanged: true };
  if (cell === ABSENT) return { absent: true };
  return Buffer.isBuffer(cell) ? { base64: cell.toString('base64') } : cell;
}
