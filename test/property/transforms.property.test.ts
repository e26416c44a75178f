import '../../src/expression/load-parser.ts';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configuredExpression } from '../../src/config/configured-expression.ts';
import { tableSelection, wholeTable } from '../../src/config/table-selection.ts';
import { ABSENT, type Cell, type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { Change, RowChange, TruncateChange } from '../../src/core/change.ts';
import type { Column, ReplicaIdentity, TableVersion } from '../../src/core/table.ts';
import type { ConfiguredTransform } from '../../src/core/table-mapping.ts';
import { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { cleanse } from '../../transforms/cleanse.ts';
import { defaultValue } from '../../transforms/default.ts';
import { dropOperation } from '../../transforms/drop-operation.ts';
import { keepAll } from '../../transforms/keep-all.ts';
import { lookup } from '../../transforms/lookup.ts';
import { mapValues } from '../../transforms/map-values.ts';
import { mask } from '../../transforms/mask.ts';
import { route } from '../../transforms/route.ts';
import { set } from '../../transforms/set.ts';
import { softDelete } from '../../transforms/soft-delete.ts';
import { split } from '../../transforms/split.ts';
import { unpivot } from '../../transforms/unpivot.ts';
import { seed } from '../support/seed.ts';
import { isThorough } from '../support/thorough.ts';

/** A row of the model: values by name, and the table that it goes to. */
interface ModelRow {
  readonly table: string;
  readonly values: Readonly<Record<string, string | null>>;
}

/** A transform, and what the model says that it makes of a row. */
interface Piece {
  readonly name: string;
  readonly transform: () => ConfiguredTransform;
  readonly model: (row: ModelRow) => readonly ModelRow[];
  /** Reads values that only a whole old image has. */
  readonly needsFull?: true;
  readonly key?: string;
  /** A source column that it gives other values. */
  readonly writes?: readonly string[];
  /** The column that decides whether it leaves a row out. */
  readonly dropsBy?: string;
  /** Reads a value that may be too large for the log together with another. */
  readonly mixes?: true;
}

const expression = configuredExpression;
const one = (change: (values: ModelRow['values']) => ModelRow['values']) => (row: ModelRow) => [
  { ...row, values: change(row.values) },
];

const pieces: readonly Piece[] = [
  {
    name: 'set of a new column',
    transform: () => set(new Map([['next', expression('n + 1')]])),
    model: one((v) => ({ ...v, next: v.n === null ? null : String(Number(v.n) + 1) })),
  },
  {
    name: 'set of a constant',
    transform: () => set(new Map([['site', expression(`'north'`)]])),
    model: one((v) => ({ ...v, site: 'north' })),
  },
  {
    name: 'set of two columns that swap',
    transform: () =>
      set(
        new Map([
          ['q1', expression('q2')],
          ['q2', expression('q1')],
        ]),
      ),
    model: one((v) => ({ ...v, q1: v.q2 ?? null, q2: v.q1 ?? null })),
  },
  {
    name: 'set of a large value and another',
    mixes: true,
    transform: () => set(new Map([['both', expression(`coalesce(big, '') || coalesce(region, '')`)]])),
    model: one((v) => ({ ...v, both: (v.big ?? '') + (v.region ?? '') })),
  },
  {
    name: 'mask of a large value',
    transform: () => mask({ columns: ['big'], method: 'hmac', key: () => 'k', length: 32 }),
    model: one((v) => ({ ...v, big: v.big === null || v.big === undefined ? null : hmac(v.big) })),
  },
  {
    name: 'cleanse',
    writes: ['region'],
    transform: () =>
      cleanse({
        columns: ['region'],
        replace: new Map(),
        normalise: null,
        collapse: false,
        trim: 'both',
        case: 'upper',
        nullIf: ['X'],
      }),
    model: one((v) => {
      const text = v.region?.trim().toUpperCase() ?? null;
      return { ...v, region: text === 'X' ? null : text };
    }),
  },
  {
    name: 'default',
    writes: ['region'],
    transform: () => defaultValue(new Map([['region', expression(`'none'`)]])),
    model: one((v) => ({ ...v, region: v.region ?? 'none' })),
  },
  {
    name: 'mapValues',
    transform: () =>
      mapValues({
        columns: ['q1'],
        values: new Map([
          ['1', '100'],
          ['2', null],
        ]),
        otherwise: 'keep',
        nullTo: '7',
        toText: false,
      }),
    model: one((v) => ({
      ...v,
      q1: v.q1 === null ? '7' : v.q1 === '1' ? '100' : v.q1 === '2' ? null : (v.q1 ?? null),
    })),
  },
  {
    name: 'lookup',
    transform: () =>
      lookup({
        rows: new Map([['eu', { name: 'Europe' }]]),
        column: 'region',
        set: new Map([['title', 'name']]),
        missing: 'null',
      }),
    model: one((v) => ({ ...v, title: v.region === 'eu' ? 'Europe' : null })),
  },
  {
    name: 'unpivot',
    key: 'quarter',
    transform: () => unpivot({ columns: ['q1', 'q2'], name: 'quarter', value: 'amount', skipNull: false }),
    model: unpivoted(false),
  },
  {
    name: 'unpivot without NULL',
    key: 'quarter',
    needsFull: true,
    transform: () => unpivot({ columns: ['q1', 'q2'], name: 'quarter', value: 'amount', skipNull: true }),
    model: unpivoted(true),
  },
  {
    name: 'route by the key',
    transform: () =>
      route({
        rules: [{ when: expression('id % 2 = 0'), to: { schema: 'public', name: 'even' } }],
        otherwise: { schema: 'public', name: 'odd' },
      }),
    model: ({ values }) => [{ table: Number(values.id) % 2 === 0 ? 'even' : 'odd', values }],
  },
  {
    name: 'route by a value',
    needsFull: true,
    dropsBy: 'region',
    transform: () =>
      route({
        rules: [
          { when: expression(`region = 'eu'`), to: { schema: 'public', name: 'europe' } },
          { when: expression('region is null'), to: { schema: 'public', name: 'nowhere' } },
        ],
        otherwise: 'drop',
      }),
    model: ({ values }) => {
      if (values.region === 'eu') return [{ table: 'europe', values }];
      return values.region === null ? [{ table: 'nowhere', values }] : [];
    },
  },
  {
    name: 'split',
    key: 'part',
    needsFull: true,
    transform: () =>
      split({
        key: ['part'],
        rows: [
          { to: null, when: null, set: new Map([['part', expression(`'a'`)]]), columns: null },
          { to: null, when: expression('n > 2'), set: new Map([['part', expression(`'b'`)]]), columns: null },
        ],
      }),
    model: ({ table, values }) => [
      { table, values: { ...values, part: 'a' } },
      ...(values.n !== null && Number(values.n) > 2 ? [{ table, values: { ...values, part: 'b' } }] : []),
    ],
  },
];

function unpivoted(skipNull: boolean): Piece['model'] {
  return ({ table, values: { q1 = null, q2 = null, ...rest } }) =>
    Object.entries({ q1, q2 })
      .filter(([, amount]) => !skipNull || amount !== null)
      .map(([quarter, amount]) => ({ table, values: { ...rest, quarter, amount } }));
}

function hmac(text: string): string {
  return createHmac('sha256', 'k').update(text).digest('hex').slice(0, 32);
}

/** What becomes of operations, beside what becomes of rows. */
type Operations = 'as they are' | 'softDelete' | 'keepAll' | 'no deletes';

type Where = {
  readonly reads: string;
  readonly text: string;
  readonly needsFull?: true;
  readonly model: (v: ModelRow['values']) => boolean;
};
const wheres: readonly Where[] = [
  { reads: 'id', text: 'id > 3', model: (v) => Number(v.id) > 3 },
  { reads: 'region', text: `region = 'eu'`, needsFull: true, model: (v) => v.region === 'eu' },
  { reads: 'n', text: 'n is distinct from 2', needsFull: true, model: (v) => v.n !== '2' },
];

const columns: readonly Column[] = [
  ['id', 'int4', true],
  ['n', 'int4', false],
  ['region', 'text', false],
  ['big', 'text', false],
  ['q1', 'int4', false],
  ['q2', 'int4', false],
].map(([name, type, key]) => ({
  name: String(name),
  type: `pg_catalog.${type}`,
  modifier: -1,
  key: key === true,
}));

type Values = Record<string, string | null>;

interface Step {
  readonly kind: 'insert' | 'update' | 'move' | 'delete' | 'truncate';
  readonly id: number;
  readonly to: number;
  readonly values: Values;
  /** The large value did not change: an update does not log it. */
  readonly isBigKept: boolean;
}

const small = fc.option(fc.integer({ min: 1, max: 4 }).map(String));
const values = fc.record({
  n: small,
  region: fc.option(fc.constantFrom('eu', 'us', 'x', ' eu ')),
  big: fc.option(fc.constantFrom('large', 'larger')),
  q1: small,
  q2: small,
});
function often<T>(kinds: readonly T[], times: number): T[] {
  return Array.from({ length: times }, () => kinds).flat();
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind']>(...often<Step['kind']>(['insert', 'update', 'move', 'delete'], 5), 'truncate'),
    id: fc.integer({ min: 1, max: 6 }),
    to: fc.integer({ min: 1, max: 6 }),
    values,
    isBigKept: fc.boolean(),
  }),
  { maxLength: 25 },
);

const cases = fc.record({
  identity: fc.constantFrom<ReplicaIdentity>('default', 'full'),
  where: fc.option(fc.constantFrom(...wheres)),
  chosen: fc.uniqueArray(fc.constantFrom(...pieces), { selector: ({ key, name }) => key ?? name, maxLength: 3 }),
  operations: fc.constantFrom<Operations>('as they are', 'as they are', 'softDelete', 'keepAll', 'no deletes'),
  steps,
});

/** What the change queue tells of a step, given the rows before it; null where the step does nothing. */
function changeOf(table: TableVersion, step: Step, source: Map<number, Values>): RowChange | TruncateChange | null {
  if (step.kind === 'truncate') {
    source.clear();
    return { kind: 'truncate', tables: [table], restartIdentity: false };
  }
  const old = source.get(step.id);
  const row = (id: number, v: Values, keep: boolean): Row =>
    columns.map(({ name }): Cell => {
      if (name === 'id') return String(id);
      return name === 'big' && keep ? UNCHANGED : (v[name] ?? null);
    });
  const oldKey = (id: number): Row => columns.map(({ key }): Cell => (key ? String(id) : ABSENT));
  const whole = table.identity === 'full';
  if (step.kind === 'insert') {
    if (old !== undefined) return null;
    source.set(step.id, step.values);
    return { kind: 'insert', table, after: row(step.id, step.values, false) };
  }
  if (old === undefined) return null;
  if (step.kind === 'delete') {
    source.delete(step.id);
    return { kind: 'delete', table, before: whole ? row(step.id, old, false) : oldKey(step.id) };
  }
  const to = step.kind === 'move' ? step.to : step.id;
  if (to !== step.id && source.has(to)) return null;
  const next = step.isBigKept ? { ...step.values, big: old.big ?? null } : step.values;
  const isKept = step.isBigKept && next.big !== null;
  source.delete(step.id);
  source.set(to, next);
  const before = whole ? row(step.id, old, false) : to === step.id ? null : oldKey(step.id);
  return { kind: 'update', table, before, after: row(to, next, isKept) };
}

/** The target: applies changes strictly, as the Consumer counts. */
class TargetModel {
  readonly rows = new Map<string, Row[]>();
  readonly #share: TableMapper['share'];

  constructor(share: TableMapper['share']) {
    this.#share = share;
  }

  apply(change: Change): void {
    if (change.kind === 'truncate') this.#truncate(change);
    if (change.kind === 'insert') {
      const rows = this.#table(change.table);
      expect(change.after.some((cell) => cell === UNCHANGED || cell === ABSENT)).toBe(false);
      if (change.table.kept !== undefined) this.#remove(rows, this.#match(change.table, rows, change.after));
      rows.push(change.after);
    } else if (change.kind === 'delete') {
      const rows = this.#table(change.table);
      const at = this.#match(change.table, rows, change.before);
      expect(at, 'the row to delete').toBeGreaterThanOrEqual(0);
      this.#remove(rows, at);
    } else if (change.kind === 'update') {
      const rows = this.#table(change.table);
      const at = this.#match(change.table, rows, change.before ?? change.after);
      expect(at, 'the row to update').toBeGreaterThanOrEqual(0);
      const old = rows[at] ?? [];
      rows[at] = change.after.map((cell, index) => (cell === UNCHANGED ? (old[index] ?? null) : cell));
    }
  }

  /** A row would come where one is already. */
  collides(change: Change): boolean {
    if (change.kind !== 'insert' && change.kind !== 'update') return false;
    const { table, after, before } = { before: null, ...change };
    const isMoved = ({ key }: Column, at: number): boolean =>
      key && after[at] !== UNCHANGED && before !== null && after[at] !== before[at];
    if (change.kind === 'update' && !table.columns.some(isMoved)) return false;
    return this.#match(table, this.#table(table), after) >= 0;
  }

  #truncate({ tables, shares }: TruncateChange): void {
    for (const table of tables) {
      const share = shares?.find((one) => one.table === table);
      const test = share === undefined ? null : this.#share(share);
      const rows = this.#table(table);
      const isGone = rows.map((row) => test?.isOurs(row) ?? true);
      const mark = table.kept?.mark;
      for (const [at, row] of rows.entries()) if (isGone[at] && mark) row[mark.column] = mark.value;
      if (!mark)
        this.rows.set(
          table.name,
          rows.filter((_, at) => !isGone[at]),
        );
    }
  }

  #table(table: TableVersion): Row[] {
    const rows = this.rows.get(table.name) ?? [];
    this.rows.set(table.name, rows);
    return rows;
  }

  #remove(rows: Row[], at: number): void {
    if (at >= 0) rows.splice(at, 1);
  }

  /** By the columns that are the key, else by the whole row. */
  #match({ columns: list, identity }: TableVersion, rows: readonly Row[], image: Row): number {
    const keys = list.flatMap(({ key }, index) => (key && image[index] !== UNCHANGED ? [index] : []));
    if (identity === 'default') expect(keys.length).toBeGreaterThan(0);
    return rows.findIndex((row) => keys.every((index) => row[index] === image[index]));
  }
}

test('transforms: the target is what the model makes of the source, after every change', () => {
  fc.assert(
    fc.property(cases, ({ identity, where, chosen: inAnyOrder, operations, steps: list }) => {
      // What unpivot takes away can't be named after it.
      const chosen = inAnyOrder.toSorted((a, b) => Number(a.key === 'quarter') - Number(b.key === 'quarter'));
      const kept = operations === 'softDelete' || operations === 'keepAll';
      fc.pre(identity === 'full' || !(where?.needsFull || chosen.some(({ needsFull }) => needsFull)));
      const key = ['id', ...chosen.flatMap((piece) => piece.key ?? [])];
      const transforms = chosen.map(({ transform }) => transform());
      if (operations === 'softDelete')
        transforms.push(softDelete({ column: 'gone', type: 'pg_catalog.bool', deleted: 't', there: 'f' }));
      if (operations === 'keepAll') transforms.push(keepAll());
      if (operations === 'no deletes') transforms.push(dropOperation(['delete']));
      const source: TableVersion = { schema: 'public', name: 't', columns, identity };
      const rule = {
        ...wholeTable,
        name: 'public.t',
        where: where === null ? null : expression(where.text),
        key,
        transforms,
      };
      const mapper = new TableMapper('r', tableSelection('r', [rule], []));
      const target = new TargetModel((share) => mapper.share(share));
      const rows = new Map<number, Values>();
      const seen = new Map<string, ModelRow>();
      for (const step of list) {
        const before = new Map(rows);
        const change = changeOf(source, step, rows);
        if (change === null) continue;
        const part = {
          id: '1',
          origin: [],
          changes: [change],
          rows: 1,
          bytes: 0,
          commit: null,
          urgency: 'ride' as const,
        };
        const asItCame = structuredCloneOf(change);
        const { changes: mapped, unmapped } = mapper.map(part);
        if (unmapped?.code === 'TL-4504') {
          // A transform has written what decides about rows, so that the target's do not show it.
          const deciding = [where?.reads, ...chosen.map(({ dropsBy }) => dropsBy)];
          expect(
            deciding.some((column) => column !== undefined && chosen.some(({ writes }) => writes?.includes(column))),
          ).toBe(true);
          return;
        }
        if (unmapped !== undefined) {
          // Only what the log lacks may stop it, and only where the old row is not logged.
          expect(['TL-4501', 'TL-4503']).toContain(unmapped.code);
          expect(identity).toBe('default');
          expect(step.isBigKept).toBe(true);
          expect(mapped).toMatchObject([{ kind: 'unmapped', change: asItCame }]);
          return;
        }
        const now = expected(rows, where, chosen);
        if (operations === 'no deletes') {
          expect(mapped.some(({ kind }) => kind === 'delete')).toBe(false);
          // A row that was to go is still there: a collision.
          if (mapped.some((each) => target.collides(each))) return;
          if (change.kind === 'truncate') seen.clear();
          // A row that becomes another one is no row that goes and one that comes, but where a route parts the two.
          for (const [name, row] of expected(before, where, chosen)) {
            const moved = now.get(nameOf({ ...row, values: { ...row.values, id: String(step.to) } }));
            const isSame = moved !== undefined && moved.way.join() === row.way.join();
            if (change.kind === 'update' && step.kind === 'move' && row.values.id === String(step.id) && isSame)
              seen.delete(name);
          }
        }
        for (const each of mapped) target.apply(each);
        if (kept) for (const [name, row] of expected(before, where, chosen)) seen.set(name, row);
        for (const [name, row] of now) seen.set(name, row);
        const wanted = kept || operations === 'no deletes' ? seen : now;
        const mark = (name: string): Values => (operations === 'softDelete' ? { gone: now.has(name) ? 'f' : 't' } : {});
        compare(
          target,
          [...wanted].map(([name, row]) => ({ ...row, values: { ...row.values, ...mark(name) } })),
          mapper,
          source,
        );
      }
    }),
    { seed, numRuns: isThorough ? 10_000 : 4_000 },
  );
});

function structuredCloneOf(change: RowChange | TruncateChange): object {
  const images = Object.entries(change).filter(([name]) => name !== 'table');
  return Object.fromEntries(images.map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]));
}

interface RoutedRow extends ModelRow {
  /** The table that each transform has left it in: of two routes the first may part rows that the second brings together. */
  readonly way: readonly string[];
}

/** The model's rows by table and key. */
function expected(
  source: ReadonlyMap<number, Values>,
  where: Where | null,
  chosen: readonly Piece[],
): Map<string, RoutedRow> {
  const made = new Map<string, RoutedRow>();
  for (const [id, inner] of source) {
    const whole = { ...inner, id: String(id) };
    if (where !== null && !where.model(whole)) continue;
    let rows: readonly RoutedRow[] = [{ table: 't', values: whole, way: [] }];
    for (const { model } of chosen)
      rows = rows.flatMap((row) => model(row).map((next) => ({ ...next, way: [...row.way, next.table] })));
    for (const row of rows) made.set(nameOf(row), row);
  }
  return made;
}

function nameOf({ table, values: { id, quarter = '', part = '' } }: ModelRow): string {
  return [table, id, quarter, part].join('/');
}

function compare(target: TargetModel, wanted: readonly ModelRow[], mapper: TableMapper, source: TableVersion): void {
  const text = (table: string, row: Readonly<Record<string, Cell>>): string =>
    `${table} ${JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
  const found = mapper
    .bind(source)
    .tables.flatMap((table) =>
      (target.rows.get(table.name) ?? []).map((row) =>
        text(table.name, Object.fromEntries(table.columns.map(({ name }, index) => [name, row[index] ?? null]))),
      ),
    );
  expect(found.sort()).toEqual(wanted.map(({ table, values: row }) => text(table, row)).sort());
}
