import '../../src/expression/load-parser.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { configuredExpression as expression } from '../../src/config/configured-expression.ts';
import { tableSelection, wholeTable } from '../../src/config/table-selection.ts';
import type { Cell, Row } from '../../src/core/cell.ts';
import type { Change, RowChange, SchemaChange } from '../../src/core/change.ts';
import { TidelockError } from '../../src/core/errors/tidelock-error.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Position } from '../../src/core/position.ts';
import type { SchemaStep } from '../../src/core/schema-step.ts';
import { type TableVersion, tableLabel } from '../../src/core/table.ts';
import type { TableFacts } from '../../src/core/table-facts.ts';
import type { ConfiguredTransform } from '../../src/core/table-mapping.ts';
import { definitionOf, versionOf } from '../../src/pipeline/judge-definition.ts';
import { SchemaGuard, type SchemaGuardOptions } from '../../src/pipeline/schema-guard.ts';
import { storedTable, TableMapper } from '../../src/pipeline/table-mapper.ts';
import { cast } from '../../transforms/cast.ts';
import { defaultValue } from '../../transforms/default.ts';
import { mapValues } from '../../transforms/map-values.ts';
import { mask } from '../../transforms/mask.ts';
import { route } from '../../transforms/route.ts';
import { set } from '../../transforms/set.ts';
import { split } from '../../transforms/split.ts';
import { unpivot } from '../../transforms/unpivot.ts';
import { use } from '../../transforms/use.ts';
import { seed } from '../support/seed.ts';
import { isThorough } from '../support/thorough.ts';

type Type =
  | 'int4'
  | 'int8'
  | 'numeric(6,0)'
  | 'numeric(6,2)'
  | 'numeric(8,2)'
  | 'numeric(8,3)'
  | 'varchar(4)'
  | 'varchar(8)'
  | 'text';

/** What ALTER TYPE makes of a column, and whether it writes the table anew. */
const retyped: Readonly<Partial<Record<Type, readonly (readonly [Type, boolean])[]>>> = {
  int4: [
    ['int8', true],
    ['numeric(6,2)', true],
    ['text', true],
  ],
  'numeric(6,2)': [
    ['numeric(8,2)', false],
    ['numeric(8,3)', true],
    ['numeric(6,0)', true],
  ],
  'varchar(4)': [
    ['varchar(8)', false],
    ['text', false],
  ],
  'varchar(8)': [['text', false]],
};

function catalogued(type: Type): { type: string; modifier: number } {
  const [, name = '', first, second] = /^([a-z0-9]+)(?:\((\d+)(?:,(\d+))?\))?$/.exec(type) ?? [];
  if (first === undefined) return { type: `pg_catalog.${name}`, modifier: -1 };
  const modifier = second === undefined ? Number(first) + 4 : ((Number(first) << 16) | Number(second)) + 4;
  return { type: `pg_catalog.${name}`, modifier };
}

function cellOf(type: Type, seedValue: number): string | null {
  if (seedValue === 0) return null;
  const scale = /,(\d)\)/.exec(type)?.[1];
  if (scale !== undefined) return (seedValue / 2).toFixed(Number(scale));
  return type.startsWith('int') ? String(seedValue) : 'xyzuvw'.slice(seedValue % 3, (seedValue % 3) + 2);
}

/** As an assignment to the type makes it. */
function assigned(value: string | null, type: string, modifier: number): string | null {
  return value === null || type !== 'pg_catalog.numeric' || modifier === -1
    ? value
    : Number(value).toFixed((modifier - 4) & 0x7ff);
}

interface SourceColumn {
  readonly id: number;
  name: string;
  type: Type;
  stamp: number;
  missing: string | null;
}

/** The source's table, as DDL commands and rows make it. */
class SourceTable {
  columns: SourceColumn[] = [];
  readonly rows = new Map<string, Map<number, string | null>>();
  storage = 1;
  clock = 1;
  #lastColumn = 0;

  add(name: string, type: Type, value: string | null): boolean {
    if (this.columns.some((column) => column.name === name)) return false;
    const id = ++this.#lastColumn;
    this.columns.push({ id, name, type, stamp: ++this.clock, missing: value });
    for (const row of this.rows.values()) row.set(id, value);
    return true;
  }

  retype(column: SourceColumn, to: Type, isMoved: boolean, using: (value: string) => string): void {
    column.type = to;
    column.stamp = ++this.clock;
    const { type, modifier } = catalogued(to);
    for (const row of this.rows.values()) {
      const value = row.get(column.id) ?? null;
      row.set(column.id, value === null ? null : assigned(using(value), type, modifier));
    }
    if (!isMoved) return;
    this.storage++;
    for (const each of this.columns) each.missing = null;
  }

  facts(): TableFacts {
    return {
      schema: 'public',
      name: 't',
      id: '1',
      position: at(this.clock),
      identity: 'full',
      columns: this.columns.map(({ id, name, type, stamp, missing }) => ({
        ...{ id, name, stamp: String(stamp), missing, nullable: true, key: true },
        ...catalogued(type),
      })),
      generated: [],
      lastColumn: this.#lastColumn,
      storage: { 1: String(this.storage) },
      attached: [],
      stamps: this.columns.map(({ stamp }) => String(stamp)),
    };
  }

  row(key: string): Row {
    const values = this.rows.get(key);
    return this.columns.map(({ id, name }) => (name === 'id' ? key : (values?.get(id) ?? null)));
  }
}

const at = (clock: number): Position => String(clock).padStart(6, '0') as unknown as Position;

interface Command {
  readonly kind: 'add' | 'drop' | 'rename' | 'trade' | 'retype' | 'rewrite' | 'insert' | 'update' | 'delete';
  readonly which: number;
  readonly name: string;
  readonly type: Type;
  readonly value: number;
}

const names = ['a', 'b', 'c', 'd', 'e', 'made'];
const commands = fc.array(
  fc.record<Command>({
    kind: fc.constantFrom<Command['kind']>(
      ...(['add', 'add', 'drop', 'rename', 'trade', 'retype', 'retype', 'rewrite'] as const),
      ...(['insert', 'insert', 'update', 'delete'] as const),
    ),
    which: fc.nat(9),
    name: fc.constantFrom(...names),
    type: fc.constantFrom<Type>('int4', 'numeric(6,2)', 'varchar(4)', 'text'),
    value: fc.nat(6),
  }),
  { minLength: 1, maxLength: 8 },
);

const folder = mkdtempSync(join(tmpdir(), 'tidelock-evolve-'));
afterAll(() => rmSync(folder, { recursive: true }));
const exitOf = async (name: string, reads: string): Promise<ConfiguredTransform> => {
  const file = join(folder, `${name}.mjs`);
  const row = `(row) => ({ made: Object.values(row).join('|') })`;
  const writes = `writes: [{ name: 'made', type: 'pg_catalog.text' }]`;
  writeFileSync(file, `export default { bind: () => ({ ${reads} ${writes}, row: ${row} }) };`);
  const transform = use({ file, options: null });
  await transform.prepare?.();
  return transform;
};
const all = await exitOf('all', '');
const some = await exitOf('some', `reads: ['b', 'd'],`);

const setting = (name: string, text: string) => set(new Map([[name, expression(text)]]));
const pieces: readonly (readonly [string, ConfiguredTransform])[] = [
  ['set a new column', setting('made', 'a + 1')],
  ['set a constant', setting('made', `'north'`)],
  ['set of itself', setting('a', 'a * 2')],
  ['set of half', setting('a', 'a / 2')],
  ['set of two', setting('made', `coalesce(b, '') || coalesce(d, '')`)],
  ['mask', mask({ columns: ['d'], method: 'hmac', key: () => 'k', length: 32 })],
  ['mask of another', mask({ columns: ['b'], method: 'null' })],
  ['default', defaultValue(new Map([['b', expression(`'n'`)]]))],
  ['cast', cast(new Map([['a', expression('CAST(a AS text)')]]))],
  [
    'mapValues',
    mapValues({ columns: ['b'], values: new Map([['xy', 'no']]), otherwise: 'keep', nullTo: null, toText: false }),
  ],
  ['an exit of all', all],
  ['an exit of some', some],
  [
    'route',
    route({ rules: [{ when: expression('a > 3'), to: { schema: 'public', name: 'many' } }], otherwise: 'stay' }),
  ],
  [
    'split',
    split({
      key: ['part'],
      rows: [{ to: null, when: null, set: new Map([['part', expression(`'p'`)]]), columns: null }],
    }),
  ],
  ['unpivot', unpivot({ columns: ['b', 'd'], name: 'part', value: 'made', skipNull: false })],
];

const cases = fc.record({
  where: fc.option(fc.constantFrom('a > 2', 'a / 2 = 1', `b = 'xy'`, 'd is not null', 'c > 1')),
  chosen: fc.uniqueArray(fc.constantFrom(...pieces), { selector: ([name]) => name, maxLength: 2 }),
  excluded: fc.subarray(['a', 'c', 'd'], { maxLength: 1 }),
  renamed: fc.constantFrom<readonly (readonly [string, string])[]>(
    [],
    [],
    [['a', 'x']],
    [
      ['c', 'd'],
      ['d', 'c'],
    ],
  ),
  schemaChanges: fc.constantFrom('evolve', 'evolve', 'evolve', 'ignore'),
  rewrittenTypes: fc.boolean(),
  /** So many commands are given before the stream is read: the catalogue is ahead of it. */
  ahead: fc.constantFrom(1, 1, 2, 3),
  commands,
});

type Values = Record<string, Cell>;

/** At a change for which the transforms have no value. */
class Halted extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The target's tables, by the labels of the route: columns as names, in no order. */
class TargetTables {
  readonly rows = new Map<string, Values[]>();
  readonly columns = new Map<string, Set<string>>();

  make({ columns, ...name }: TableVersion): void {
    this.columns.set(tableLabel(name), new Set(columns.map((column) => column.name)));
  }

  follow(label: string, steps: readonly SchemaStep[]): void {
    const columns = this.columns.get(label) ?? new Set();
    const rows = this.rows.get(label) ?? [];
    for (const step of steps) {
      if (step.kind === 'drop') {
        columns.delete(step.column);
        for (const row of rows) delete row[step.column];
      } else if (step.kind === 'rename') {
        expect(columns.has(step.to), `${step.to} is free`).toBe(false);
        columns.delete(step.from);
        columns.add(step.to);
        for (const row of rows) {
          row[step.to] = row[step.from] ?? null;
          delete row[step.from];
        }
      } else if (step.kind === 'add') {
        columns.add(step.column.name);
        for (const row of rows) row[step.column.name] = step.existing;
      } else {
        const { name, type, modifier } = step.column;
        for (const row of rows) row[name] = assigned(row[name] as string | null, type, modifier);
      }
    }
  }

  apply(change: Change, key: readonly string[]): void {
    if (change.kind !== 'insert' && change.kind !== 'update' && change.kind !== 'delete') return;
    const label = tableLabel(change.table);
    const rows = this.rows.get(label) ?? [];
    this.rows.set(label, rows);
    const named = (row: Row): Values =>
      Object.fromEntries(change.table.columns.map(({ name }, i) => [name, row[i] as Cell]));
    const before = change.kind === 'insert' ? null : named((change.before ?? (change as { after: Row }).after) as Row);
    if (before !== null) {
      const found = rows.findIndex((row) => key.every((name) => row[name] === before[name]));
      expect(found, 'the row is there').toBeGreaterThanOrEqual(0);
      if (change.kind === 'delete') rows.splice(found, 1);
      else rows[found] = { ...rows[found], ...named((change as { after: Row }).after) };
    } else rows.push(named((change as { after: Row }).after));
  }
}

test('evolve and transforms: whatever becomes of a table, the target is what they make of it, or the route halts with a code', async () => {
  const met = { followed: 0, halted: new Map<string, number>() };
  await fc.assert(
    fc.asyncProperty(
      cases,
      async ({ where, chosen, excluded, renamed, schemaChanges, rewrittenTypes, ahead, commands }) => {
        const source = new SourceTable();
        const initial = { id: 'int4', a: 'int4', b: 'varchar(4)', c: 'numeric(6,2)', d: 'text' } as const;
        for (const [name, type] of Object.entries(initial)) source.add(name, type, null);
        const isSpread = chosen.some(([name]) => name === 'split' || name === 'unpivot');
        const key = isSpread ? ['id', 'part'] : ['id'];
        const rule = {
          ...wholeTable,
          name: 'public.t',
          where: where === null ? null : expression(where),
          excludedColumns: excluded,
          renamedColumns: new Map(renamed),
          key,
          transforms: chosen.map(([, transform]) => transform),
        };
        const tables = tableSelection('r', [rule], []);
        const mapper = new TableMapper('r', tables);
        const target = new TargetTables();
        const first = source.facts();
        const definition = definitionOf(first);
        try {
          const binding = mapper.bind(versionOf(definition));
          for (const table of binding.tables) target.make(table);
        } catch (error) {
          if (error instanceof TidelockError) return;
          throw error;
        }
        let facts = first;
        const guard = new SchemaGuard({
          route: { name: 'r', tables, schemaChanges, ddl: 'ignore', allow: rewrittenTypes ? ['rewrittenTypes'] : [] },
          mapper,
          store: { setHalted: async () => {} },
          source: {
            facts: async () => facts,
            catalogue: async () => [facts],
            order: { covers: (a: string, b: string) => a >= b },
            settled: (stamps: readonly string[], seen: string) =>
              stamps.every((stamp) => Number(stamp) <= Number(seen)),
            precedes: (a: string, b: string) => Number(a) <= Number(b),
          },
          target: {
            columns: async (table: TableVersion) =>
              [...(target.columns.get(tableLabel(table)) ?? [])].map((name) => ({ name })),
          },
          logger: silentLogger,
          stored: [{ ...storedTable(mapper.bind(versionOf(definition)), definition) }],
          acceptedTo: null,
        } as unknown as SchemaGuardOptions);

        // What the queue has, in its order: a definition where it is another one, then the row, then what the target is to be.
        type Queued = { version: TableVersion; seen: number; change: RowChange };
        const queue: Queued[] = [];
        let version = versionOf(definition);
        let announced = definition.columns.map(({ id, stamp }) => `${id}:${stamp}`).join();
        let keys = 0;
        const write = (kind: 'insert' | 'update' | 'delete', { which, value }: Command): void => {
          const there = [...source.rows.keys()];
          const id = kind === 'insert' ? String(++keys) : there[which % there.length];
          if (id === undefined) return;
          const now = source.facts();
          const stamps = now.columns.map((column) => `${column.id}:${column.stamp}`).join();
          if (stamps !== announced) version = versionOf(definitionOf(now));
          announced = stamps;
          const before = source.row(id);
          if (kind === 'delete') source.rows.delete(id);
          else
            source.rows.set(
              id,
              new Map(source.columns.map((column, i) => [column.id, cellOf(column.type, (value + i * which) % 7)])),
            );
          const change: RowChange =
            kind === 'insert'
              ? { kind, table: version, after: source.row(id) }
              : kind === 'delete'
                ? { kind, table: version, before }
                : { kind, table: version, before, after: source.row(id) };
          queue.push({ version, seen: source.clock, change });
        };
        let current = mapper.bind(versionOf(definition)).source;
        const read = async (): Promise<void> => {
          facts = source.facts();
          for (const { version: to, seen, change } of queue.splice(0)) {
            if (to !== current && to.columns !== current.columns) {
              const definitionChange = {
                kind: 'schemaChange',
                from: null,
                to,
                at: at(seen),
                tableId: '1',
                seen: String(seen),
              };
              await guard.meet(definitionChange as unknown as SchemaChange, String(seen));
              const { evolution } = definitionChange as unknown as SchemaChange;
              current = to;
              if (evolution !== undefined) target.follow(tableLabel(mapper.bind(to).tables[0]), evolution.steps);
            }
            const part = {
              id: '1',
              origin: [],
              changes: [change],
              rows: 1,
              bytes: 0,
              commit: null,
              urgency: 'ride' as const,
            };
            const { changes, unmapped } = mapper.map(part);
            if (unmapped !== undefined) throw new Halted(unmapped.code);
            for (const made of changes) target.apply(made, key);
          }
        };
        const isLeft = schemaChanges === 'ignore';
        const compare = (): void => {
          const binding = mapper.bind(current);
          const wanted = new Map<string, string[]>(binding.tables.map((table) => [tableLabel(table), []]));
          for (const id of source.rows.keys())
            for (const { output, row } of mapper.rows(binding, source.row(id), at(source.clock)))
              wanted.get(tableLabel(output.table))?.push(
                text(
                  output.table.columns.map(({ name }, i) => [name, row[i] as Cell]),
                  isLeft,
                ),
              );
          for (const { columns, ...name } of binding.tables) {
            const rows = (target.rows.get(tableLabel(name)) ?? []).map((row) =>
              text(
                columns.map((c) => [c.name, row[c.name] as Cell]),
                isLeft,
              ),
            );
            expect(rows.sort()).toEqual(wanted.get(tableLabel(name))?.sort());
          }
        };

        try {
          for (const id of [1, 2, 3]) write('insert', { which: id, value: id + 1 } as Command);
          await read();
          compare();
          for (const [index, command] of commands.entries()) {
            if (command.kind === 'insert' || command.kind === 'update' || command.kind === 'delete')
              write(command.kind, command);
            else {
              alter(source, command, rewrittenTypes);
              // Without a row nothing is announced.
              write('insert', command);
            }
            if ((index + 1) % ahead !== 0 && index + 1 < commands.length) continue;
            await read();
            compare();
          }
          met.followed++;
        } catch (error) {
          if (!(error instanceof TidelockError || error instanceof Halted)) throw error;
          met.halted.set(error.code, (met.halted.get(error.code) ?? 0) + 1);
        }
      },
    ),
    { seed, numRuns: isThorough ? 5_000 : 300 },
  );
  expect(met.followed).toBeGreaterThan(25);
  expect(
    [...met.halted.keys()].filter((code) => !/^TL-(1009|4101|4103|4109|4110|4501|4505|4507|4508|4509)$/.test(code)),
  ).toEqual([]);
});

/** A numeric without the zeros at its end: they are its column's, and a target that is left as it is has its own. */
function text(values: readonly (readonly [string, Cell])[], isLeft: boolean): string {
  const short = (cell: Cell): Cell =>
    isLeft && typeof cell === 'string' && /^-?\d+\.\d+$/.test(cell) ? cell.replace(/\.?0+$/, '') : cell;
  return JSON.stringify(
    values
      .map(([name, cell]) => [name, short(cell)])
      .toSorted(([a = ''], [b = '']) => (String(a) < String(b) ? -1 : 1)),
  );
}

function alter(source: SourceTable, { kind, which, name, type, value }: Command, isPlain: boolean): void {
  const others = source.columns.filter((column) => column.name !== 'id');
  const column = others[which % Math.max(others.length, 1)];
  if (kind === 'add') source.add(name, type, value % 2 === 0 ? null : cellOf(type, value));
  if (column === undefined) return;
  if (kind === 'drop') {
    source.columns = source.columns.filter((one) => one !== column);
    for (const row of source.rows.values()) row.delete(column.id);
  }
  if (kind === 'rename' && others.every((one) => one.name !== name)) {
    column.name = name;
    column.stamp = ++source.clock;
  }
  const other = others[(which + 1) % others.length];
  if (kind === 'trade' && other !== undefined && other !== column) {
    [column.name, other.name] = [other.name, column.name];
    source.clock++;
    column.stamp = source.clock;
    other.stamp = source.clock;
  }
  if (kind === 'retype') {
    const ways = retyped[column.type] ?? [];
    const [to, isMoved] = ways[value % Math.max(ways.length, 1)] ?? [column.type, false];
    if (to !== column.type) source.retype(column, to, isMoved, (old) => old);
  }
  // ALTER TYPE of the same type USING another value: what `rewrittenTypes` promises that there is none of.
  if (kind === 'rewrite' && !isPlain && column.type.startsWith('int'))
    source.retype(column, column.type, true, (old) => String(Number(old) * 2));
}
