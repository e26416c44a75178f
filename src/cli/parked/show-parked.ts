import { createHash } from 'node:crypto';
import { ABSENT, type Cell, type Row, UNCHANGED } from '../../core/cell.ts';
import type { RowChange } from '../../core/change.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { ParkedStore } from '../../core/parked.ts';
import { tableLabel } from '../../core/table.ts';
import { type CommandLine, type CommonOptions, openConfiguration, writeJson } from '../command-line.ts';
import { openRoute } from '../open-route.ts';
import { chosenParked } from './chosen-parked.ts';
import { parkedJson, tablesText } from './list-parked.ts';

export interface ShowOptions extends CommonOptions {
  readonly showValues?: boolean;
  readonly limit: string;
}

type ShownCell = string | null | { readonly unchanged: true } | { readonly absent: true } | { readonly base64: string };

interface ShownChange {
  /** `insert`, `update`, `delete`, `truncate`; with `unmapped` before it where the transforms had no value. */
  readonly change: string;
  readonly tables: readonly string[];
  /** Digest of the row's key, before and after where it changes. */
  readonly keys: readonly string[];
  readonly before?: Readonly<Record<string, ShownCell>>;
  readonly after?: Readonly<Record<string, ShownCell>>;
}

const keysShown = 20;

export async function showParked(
  line: CommandLine,
  { route: name, id }: { readonly route: string; readonly id: string },
  options: ShowOptions,
): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw fail(configErrors.arguments, { why: `--limit wants a number of changes, is ${options.limit}` });
  const definition = openConfiguration(line, options).routes.demand(name, 'route');
  await using route = openRoute(definition);
  const { parked: store } = await route.store();
  const [parked] = chosenParked(name, await store.list(), [id]);
  if (parked === undefined) return 1;
  const values = options.showValues ?? false;
  const changes = await readChanges(store, parked.id, { limit, values });
  const keys = await store.keys(parked.id, options.json ? 10_000 : keysShown);
  if (options.json) {
    writeJson(line, { version: 1, route: name, ...parkedJson(parked), keys, changes });
    return 0;
  }
  const { transaction, position, cause, code, message, remedy, reason, askedBy, behind } = parked;
  const head = [
    `${name} ${parked.id}: transaction ${transaction} at ${position}, committed ${new Date(parked.committedAtMs).toISOString()}`,
    `  ${parked.rows.toLocaleString('en')} rows: ${tablesText(parked.tables)}`,
    `  ${cause}: ${code} ${message}`,
    `  ${remedy}`,
    ...(reason === null ? [] : [`  skipped by ${askedBy ?? 'somebody'}: ${reason}`]),
    ...(behind === null ? [] : [`  waits for ${behind}`]),
    '  holds:',
    ...keys.map(
      ({ resource, exclusive, digest }) => `    ${digest ?? 'every value'} ${resource}${exclusive ? '' : ' (shared)'}`,
    ),
    ...(keys.length === keysShown ? ['    ...'] : []),
    '  changes:',
  ];
  line.out.write(`${head.join('\n')}\n`);
  for (const change of changes) line.out.write(changeText(change));
  const total = parked.tables.reduce((sum, { truncates }) => sum + truncates, parked.rows);
  if (changes.length < total) line.out.write(`    ... ${total - changes.length} more, see --limit\n`);
  return 0;
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
      else if (change.kind !== 'schemaChange' && change.kind !== 'ddl' && change.kind !== 'heartbeat')
        shown.push(shownRow(change, values));
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

function changeText({ change, tables, keys, before, after }: ShownChange): string {
  const lines = [`    ${change} ${tables.join(', ')} ${keys.join(' -> ')}`.trimEnd()];
  if (before !== undefined) lines.push(`      before ${JSON.stringify(before)}`);
  if (after !== undefined) lines.push(`      after  ${JSON.stringify(after)}`);
  return `${lines.join('\n')}\n`;
}
