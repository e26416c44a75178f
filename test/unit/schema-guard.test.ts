import { expect, test } from 'vitest';
import { tableSelection, wholeTable } from '../../src/config/table-selection.ts';
import type { DdlChange, SchemaChange } from '../../src/core/change.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Position } from '../../src/core/position.ts';
import type { StoredTable } from '../../src/core/route-state-store.ts';
import type { TableDefinition, TableFacts } from '../../src/core/table-facts.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { isPrintOf, printOf } from '../../src/pipeline/catalogue-print.ts';
import { definitionOf, versionOf } from '../../src/pipeline/judge-definition.ts';
import type { TableBinding } from '../../src/pipeline/mapping/table-binding.ts';
import { SchemaGuard, type SchemaGuardOptions } from '../../src/pipeline/schema-guard.ts';
import { storedTable, type TableMapper } from '../../src/pipeline/table-mapper.ts';
import { untoldChange } from '../../src/pipeline/untold-changes.ts';

const label = 'public.p';
const at = (text: string): Position => text as unknown as Position;
const facts: TableFacts = {
  schema: 'public',
  name: 'p',
  id: '1',
  position: at('0/1'),
  identity: 'default',
  columns: [],
  generated: [],
  lastColumn: 0,
  storage: { 2: '2' },
  attached: [],
  stamps: [],
};

test('a table that is touched once more while the catalogue is asked is asked about again', async () => {
  // As what was asked before a partition came answers after the look that has seen it.
  let asked = 0;
  const answers: TableFacts[] = [facts, { ...facts, storage: { 2: '2', 3: '3' }, attached: ['3'] }];
  const catalogue = async (): Promise<TableFacts[]> => {
    const answer = answers[asked++] ?? facts;
    if (asked === 1) guard.touch([label]);
    return [answer];
  };
  const definition = definitionOf(facts);
  const options = {
    route: { name: 'r', tables: { select: () => null }, schemaChanges: 'halt', ddl: 'ignore', allow: [] },
    mapper: { adjust: () => {} } as unknown as TableMapper,
    store: { setHalted: async () => {} },
    source: { catalogue, order: { covers: () => true } },
    logger: silentLogger,
    stored: [{ source: label, target: label, fingerprint: '', definition }],
    acceptedTo: null,
  } as unknown as SchemaGuardOptions;
  const guard: SchemaGuard = new SchemaGuard(options);
  guard.touch([label]);
  expect(await guard.unannounced(at('0/2'))).toEqual([]);
  await expect(guard.unannounced(at('0/3'))).rejects.toThrow(/attached as a partition/);
  expect(asked).toBe(2);
});

const column = {
  id: 1,
  name: 'n',
  type: 'pg_catalog.int4',
  modifier: -1,
  key: true,
  stamp: '5',
  nullable: false,
  missing: null,
};
const before: TableFacts = { ...facts, storage: { 1: '1' }, columns: [column], lastColumn: 1, stamps: ['5'] };
// Dropped and added again: the same name and type, and none of the old values.
const after: TableFacts = {
  ...before,
  columns: [{ ...column, id: 2, stamp: '9' }],
  lastColumn: 2,
  stamps: ['9', '9'],
};

/** A route's guards, one behind another as the route is started again; what they store goes on. */
class Guards {
  readonly #schemaChanges: string;
  readonly #ddl: string;
  /** Of the table, beside what any binding has. */
  binding: object = {};
  /** What becomes of the tables, as far as commands ask; null: nothing is said of any. */
  tables: Pick<SchemaGuardOptions['route']['tables'], 'select'> | null = null;
  /** The columns that travel, by their places; null: all. */
  projection: readonly number[] | null = null;
  toldApartBy: readonly string[] | null = null;
  catalogue = before;
  /** Partitions that had rows before they were some. */
  filled: readonly string[] = [];
  /** Where no more is stored of the table: its fingerprint. */
  unknown: string | null = null;
  definition: TableDefinition = definitionOf(before);
  halts = 0;
  #guard: SchemaGuard;

  constructor(schemaChanges: string, ddl = 'ignore') {
    this.#schemaChanges = schemaChanges;
    this.#ddl = ddl;
    this.#guard = this.#next(null);
  }

  start(acceptedTo: Position | null): void {
    this.#guard = this.#next(acceptedTo);
  }

  #next(acceptedTo: Position | null): SchemaGuard {
    return new SchemaGuard({
      route: {
        name: 'r',
        tables: {
          select: (schema: string, name: string) => this.tables?.select(schema, name) ?? null,
          meansSchema: (schema: string) => schema === 'meant',
        },
        schemaChanges: this.#schemaChanges,
        ddl: this.#ddl,
        allow: [],
      },
      mapper: {
        adjust: () => {},
        bind: (source: TableDefinition) => ({
          source,
          tables: [source],
          steps: [],
          lineage: [],
          kept: null,
          outputs: [
            {
              ...{ owns: null, table: source, lineage: [] },
              ...{ projection: this.projection, toldApartBy: this.toldApartBy },
            },
          ],
          ...this.binding,
        }),
      } as unknown as TableMapper,
      store: {
        setHalted: async (_: string, halted: NonNullable<TableDefinition['halted']>) => {
          this.halts++;
          this.definition = { ...this.definition, halted };
        },
      },
      source: {
        facts: async (_: unknown, transaction: string) =>
          transaction === 'unseen' ? { ...this.catalogue, isBehind: true } : this.catalogue,
        catalogue: async () => [this.catalogue],
        filled: async (_: unknown, partitions: readonly string[]) =>
          this.filled.filter((partition) => partitions.includes(partition)),
        order: { covers: (a: string, b: string) => a >= b },
        settled: () => true,
        precedes: () => true,
      },
      target: { columns: async () => [{ name: 'n' }] },
      logger: silentLogger,
      stored: [
        {
          ...{ source: label, target: label, fingerprint: this.unknown ?? '' },
          definition: this.unknown === null ? this.definition : null,
        },
      ],
      acceptedTo,
    } as unknown as SchemaGuardOptions);
  }

  async meet(position: string, transaction: string): Promise<void> {
    const { schema, name, identity } = facts;
    const columns = this.catalogue.columns.map((of) => ({ name: of.name, type: column.type, modifier: -1, key: true }));
    const to = { schema, name, identity, columns };
    const change = { kind: 'schemaChange', from: null, to, at: at(position), tableId: '1', seen: 'x' } as never;
    await this.#guard.meet(change, transaction);
    this.store([change]);
  }

  async look(position: string): Promise<readonly SchemaChange[]> {
    this.#guard.touch([label]);
    const changes = await this.#guard.unannounced(at(position));
    this.store(changes);
    return changes;
  }

  /** A command that leaves the table as the catalogue has it. */
  command(position: string, applied = false): void {
    const change = {
      kind: 'ddl',
      tag: 'ALTER TABLE',
      object: label,
      table: facts,
      facts: this.catalogue,
      tables: null,
    };
    const ddl = { ...change, leftOut: false, obstacle: null, applied, at: at(position) } as unknown as DdlChange;
    this.store([{ evolution: this.#guard.command(ddl) as { readonly stored: StoredTable } }]);
  }

  /** What has come of them is at the target. */
  store(changes: readonly { readonly evolution?: { readonly stored?: StoredTable | null } | undefined }[]): void {
    for (const { evolution } of changes) {
      if (!evolution?.stored?.definition) continue;
      this.definition = JSON.parse(JSON.stringify(evolution.stored.definition));
      this.unknown = null;
    }
  }
}

test.for([true, false])(
  'what a transaction that nobody sees yet has made of a table is told by the look that sees it: %s',
  async (isBehind) => {
    const guards = new Guards('halt');
    await guards.meet('0/2', isBehind ? 'unseen' : '7');
    guards.catalogue = after;
    const look = guards.look('0/3');
    // Else no row has needed it yet, and the announcement of the next one will tell.
    if (isBehind) await expect(look).rejects.toMatchObject({ code: 'TL-4105' });
    else expect(await look).toEqual([]);
  },
);

test('a route of few tables has the catalogue asked for all of them before the first is met, others for those that come together', () => {
  const asked: number[] = [];
  const guardOf = (tables: number): SchemaGuard =>
    new SchemaGuard({
      mapper: { adjust: () => {} } as unknown as TableMapper,
      source: { expectFacts: (expected: readonly unknown[]) => asked.push(expected.length) },
      stored: Array.from({ length: tables }, (_, of) => ({
        source: `public.t${of}`,
        definition: definitionOf({ ...facts, name: `t${of}` }),
      })),
    } as unknown as SchemaGuardOptions);
  const announcing = (...names: string[]): Pick<TransactionPart, 'changes'> => ({
    changes: names.map((name) => ({ kind: 'schemaChange', to: { schema: 'public', name } }) as unknown as SchemaChange),
  });
  const few = guardOf(50);
  few.begin();
  few.expect([announcing('t1', 't2')]);
  expect(asked.splice(0)).toEqual([50]);
  const many = guardOf(5_000);
  many.begin();
  expect(asked.splice(0)).toEqual([0]);
  many.expect([announcing('t1')]);
  many.expect([announcing('t1', 't2'), announcing(), announcing('t2', 't3')]);
  expect(asked).toEqual([3]);
});

test.for([true, false])(
  'a column that is another one since a transaction that nobody saw is never dropped and added at the target: started again %s',
  async (isAgain) => {
    const guards = new Guards('evolve');
    await guards.meet('0/2', 'unseen');
    // As the catalogue still is: nothing is proven by it.
    await guards.look('0/3');
    guards.catalogue = after;
    if (isAgain) guards.start(null);
    await expect(guards.look('0/4')).rejects.toMatchObject({ code: 'TL-4109' });
    if (isAgain) guards.start(null);
    await expect(guards.meet('0/5', '8')).rejects.toMatchObject({ code: 'TL-4109' });
  },
);

test.for(['halt', 'evolve'])(
  'what a look has shown behind a transaction that nobody saw is accepted for good: %s',
  async (schemaChanges) => {
    const guards = new Guards(schemaChanges);
    await guards.meet('0/2', 'unseen');
    guards.catalogue = after;
    await expect(guards.look('0/3')).rejects.toMatchObject({ code: schemaChanges === 'halt' ? 'TL-4105' : 'TL-4109' });
    expect(guards.halts).toBe(1);
    guards.start(at('0/4'));
    expect(await guards.look('0/5')).toMatchObject([{ evolution: { steps: [] } }]);
    await guards.meet('0/6', '9');
    expect(guards.definition).toEqual(definitionOf(after));
  },
);

test('the next announcement, or a look that shows the rows elsewhere, proves what nobody saw', async () => {
  const guards = new Guards('halt');
  await guards.meet('0/2', 'unseen');
  expect(guards.definition.behind).toBe(true);
  await guards.meet('0/3', '8');
  expect(guards.definition.behind).toBeUndefined();
  await guards.meet('0/4', 'unseen');
  expect(guards.definition.behind).toBe(true);
  guards.catalogue = { ...before, storage: { 1: '2' } };
  await guards.look('0/5');
  expect(guards.definition.behind).toBeUndefined();
});

test.for(['halt', 'evolve'])(
  'a value of an enum that is renamed changes rows, and is told once the queue has come to that: %s',
  async (schemaChanges) => {
    const guards = new Guards(schemaChanges);
    const named = (labels: Record<string, string>): TableFacts => ({ ...before, labels });
    // An older engine did not store them, and one more changes no row.
    for (const labels of [{ 16400: 'sad' }, { 16400: 'sad', 16402: 'ok' }]) {
      guards.catalogue = named(labels);
      await guards.look('0/2');
      expect(guards.definition.labels).toEqual(labels);
    }
    guards.catalogue = named({ 16400: 'blue', 16402: 'ok' });
    // Rows of before are still to come.
    await guards.meet('0/3', '8');
    await expect(guards.look('0/4')).rejects.toMatchObject({
      code: schemaChanges === 'halt' ? 'TL-4105' : 'TL-4109',
      message: expect.stringContaining('a value of an enum'),
    });
    guards.start(at('0/4'));
    // Rows that waited announce the table before the next look at the catalogue.
    await guards.meet('0/5', '9');
    await guards.look('0/6');
    expect(guards.definition.labels).toEqual({ 16400: 'blue', 16402: 'ok' });
    expect(guards.definition.halted).toBeUndefined();
    guards.start(null);
    await guards.look('0/7');
  },
);

const asTheyAre = tableSelection('r', [{ ...wholeTable, name: 'public.*' }], []);
const underAnotherName = tableSelection('r', [{ ...wholeTable, name: 'public.*', to: 'other.{table}' }], []);

test.for<
  readonly [
    ddl: string,
    schema: string | null,
    table: string | null,
    columns: number[],
    isCarried: boolean,
    halts: boolean,
  ]
>([
  ['ignore', 'meant', null, [1], true, true],
  // None that travels, or that something is made of, has values of it.
  ['ignore', 'meant', null, [1], false, false],
  // One of which nothing is known yet.
  ['ignore', 'meant', null, [1, 2], false, true],
  ['replicate', 'meant', null, [1], true, false],
  ['replicate', 'other', null, [1], true, true],
  // An extension's own commands are told by none.
  ['replicate', null, null, [1], true, true],
  // The rows of a table: commands about it are carried where its rows are.
  ['replicate', 'other', '1', [1], true, false],
  ['replicate', 'meant', '2', [1], true, true],
])(
  'a value of an enum that is renamed halts where no command tells it and the target has it: ddl %s, of schema %s, rows of table %s, in columns %j, carried %s: %s',
  async ([ddl, schema, table, columns, isCarried, halts]) => {
    const guards = new Guards('evolve', ddl);
    guards.tables = asTheyAre;
    if (!isCarried) guards.projection = [];
    const told = ddl === 'replicate' && { toldBy: '1@2' };
    for (const [position, name] of [
      ['0/2', 'sad'],
      ['0/3', 'blue'],
    ] as const) {
      const labelled = { 16400: { columns, schema, table } };
      guards.catalogue = { ...before, ...told, labels: { 16400: name }, labelled };
      const look = guards.look(position);
      if (halts && name === 'blue')
        await expect(look).rejects.toMatchObject({ message: expect.stringContaining('a value of an enum') });
      else await look;
    }
    expect(guards.definition.labels).toEqual({ 16400: halts ? 'sad' : 'blue' });
  },
);

const filter = { kind: 'filter', name: 'where', condition: { reads: [0] } };
const made = (index: number) => ({ kind: 'cells', name: 'set', rules: [{ index, reads: [0] }] });
const itself = { steps: [] };

test.for<
  readonly [
    what: string,
    binding: object,
    columns: number[],
    table: string | null,
    tables: typeof asTheyAre,
    told: readonly (string | undefined)[],
    halts: boolean,
  ]
>([
  ['it travels as it came', itself, [1], null, underAnotherName, ['1@2', '1@2'], false],
  ['a condition reads it', { steps: [filter] }, [1], null, asTheyAre, ['1@2', '1@2'], true],
  ['a condition reads another column', { steps: [filter] }, [7], null, asTheyAre, ['1@2', '1@2'], false],
  ['another column is made of it', { steps: [made(1)] }, [1], null, asTheyAre, ['1@2', '1@2'], true],
  ['it is made of itself', { steps: [made(0)] }, [1], null, asTheyAre, ['1@2', '1@2'], true],
  ['a condition reads rows of a table', { steps: [filter] }, [1], '1', asTheyAre, ['1@2', '1@2'], true],
  ['of rows of a table', itself, [1], '1', asTheyAre, ['1@2', '1@2'], false],
  ['of rows of a table of another name there', itself, [1], '1', underAnotherName, ['1@2', '1@2'], true],
  ['commands are told only since then', itself, [1], null, asTheyAre, [undefined, '1@2'], true],
  ['commands were not told for a while', itself, [1], null, asTheyAre, ['1@2', '1@3'], true],
  ['commands are told no longer', itself, [1], null, asTheyAre, ['1@2', undefined], true],
  ['commands are told by nothing', itself, [1], null, asTheyAre, [undefined, undefined], true],
])(
  'a value of an enum whose new name a command brings halts where that does not make of the target what the route would have: %s',
  async ([, binding, columns, table, tables, [toldAt = null, toldNow = null], halts]) => {
    const guards = new Guards('evolve', 'replicate');
    Object.assign(guards, { binding, tables });
    const labelled = { 16400: { columns, schema: 'meant', table } };
    guards.catalogue = { ...before, ...(toldAt && { toldBy: toldAt }), labels: { 16400: 'sad' }, labelled };
    await guards.look('0/2');
    guards.catalogue = { ...before, ...(toldNow && { toldBy: toldNow }), labels: { 16400: 'blue' }, labelled };
    const look = guards.look('0/3');
    if (!halts) {
      await look;
      return;
    }
    await expect(look).rejects.toMatchObject({ message: expect.stringContaining('a value of an enum was renamed') });
    guards.start(at('0/4'));
    await guards.look('0/5');
    expect(guards.definition).toMatchObject({ labels: { 16400: 'blue' } });
    expect(guards.definition.toldBy).toBe(toldNow ?? undefined);
    await guards.look('0/6');
  },
);

test.for<
  readonly [what: string, binding: object, stamps: readonly (string | undefined)[], told: boolean, halts: boolean]
>([
  ['it travels', itself, ['700', '703'], false, true],
  ['nothing has touched it', itself, ['700', '700'], false, false],
  ['an older engine did not store since when', itself, [undefined, '703'], false, false],
  ['commands have told both', itself, ['700', '703'], true, false],
  ['commands have told both, and a condition reads it', { steps: [filter] }, ['700', '703'], true, true],
  [
    'nothing has values of it',
    { outputs: [{ projection: [], owns: null, table: { columns: [] } }] },
    ['700', '703'],
    false,
    false,
  ],
])(
  'a value of an enum that was renamed and back between two looks halts, since rows came by the other name: %s',
  async ([, binding, [was, is], told, halts]) => {
    const guards = new Guards('evolve', told ? 'replicate' : 'ignore');
    guards.binding = binding;
    const labelled = { 16400: { columns: [1], schema: 'meant', table: null } };
    const seen = (stamp: string | undefined): TableFacts => ({
      ...before,
      ...{ labels: { 16400: 'sad' }, labelled },
      ...(stamp !== undefined && { labelStamps: { 16400: stamp } }),
      ...(told && { toldBy: '1@2' }),
    });
    guards.catalogue = seen(was);
    await guards.look('0/2');
    guards.catalogue = seen(is);
    const look = guards.look('0/3');
    if (halts) {
      await expect(look).rejects.toMatchObject({ message: expect.stringContaining('was renamed and back') });
      guards.start(at('0/4'));
      await guards.look('0/5');
    } else await look;
    expect(guards.definition.labelStamps).toEqual({ 16400: is });
    await guards.look('0/6');
  },
);

test('what a look has halted at is accepted once, also where an older definition was still on its way, and an older engine has noted it', async () => {
  const guards = new Guards('evolve');
  const named = (label: string): TableFacts => ({ ...before, labels: { 16400: label } });
  guards.catalogue = named('sad');
  const late = await guards.look('0/2');
  guards.catalogue = named('blue');
  await expect(guards.look('0/3')).rejects.toMatchObject({ code: 'TL-4109' });
  guards.store(late);
  const noted = guards.definition;
  // Older engines did not ask since when a value has its name; what tells commands says nothing of the table.
  guards.catalogue = { ...guards.catalogue, labelStamps: { 16400: '700' }, toldBy: '1@2' };
  const { toldBy: _, ...untold } = guards.catalogue;
  for (const print of [printOf(untold), printOf(named('blue')), printOf(before)]) {
    guards.definition = { ...noted, halted: { at: at('0/3'), print } };
    guards.start(at('0/4'));
    await guards.look('0/5');
    expect(guards.definition.labels).toEqual({ 16400: 'blue' });
  }
  expect(noted.halted?.print).toBe(printOf(named('blue')));
  guards.definition = { ...noted, halted: { at: at('0/3'), print: printOf(named('green')) } };
  guards.start(at('0/4'));
  await expect(guards.look('0/5')).rejects.toMatchObject({ code: 'TL-4109' });
});

/** An index by which rows are told apart, and columns that it is over. */
test.for<readonly [isMarked: boolean, id: string, columns: number[], halts: boolean]>([
  [true, '11', [2, 1], false],
  [false, '11', [1, 2], true],
  [true, '11', [1], true],
  [true, '11', [1, 2, 3], true],
  [false, '10', [1, 2], false],
])(
  'an index that is made anew tells rows apart as before where deleted ones have a mark (%s): index %s over %j: halts %s',
  async ([isMarked, id, columns, halts]) => {
    const guards = new Guards('evolve');
    const more = { ...column, id: 2, name: 'm' };
    const keyed = { ...before, columns: [column, more], lastColumn: 2, stamps: ['5', '5'] };
    guards.catalogue = { ...keyed, uniqueKeys: [{ id: '10', columns: [1, 2] }] };
    guards.definition = definitionOf(guards.catalogue);
    guards.toldApartBy = ['n', 'm'];
    const mark = { index: 2, value: 't' };
    guards.binding = { kept: { mark: isMarked ? mark : null } } satisfies Partial<TableBinding>;
    guards.start(null);
    guards.catalogue = { ...keyed, uniqueKeys: [{ id, columns }] };
    const look = guards.look('0/2');
    if (halts) await expect(look).rejects.toMatchObject({ message: expect.stringContaining('unique index over n, m') });
    else expect(await look.then(() => guards.definition.uniqueKeys)).toEqual([{ id, columns }]);
  },
);

test.for<readonly [before: string, now: string, isGap: boolean]>([
  ['mine 7.20', 'mine 7.20', false],
  ['mine 7.20', 'mine 7.21', true],
  // In it by its schema, too, before it was taken out, or in it by both.
  ['mine 7.20', 'mine 7.20,n30@5', false],
  ['mine 7.20,n30@5', 'mine 7.n30@5', false],
  ['mine 7.n30@5', 'mine 7.20,n30@5', false],
  ['mine 7.20', 'mine 7.n30@5', true],
  ['mine 7.n30@5', 'mine 7.20', true],
  ['mine 7.n30@5', 'mine 7.n31@6', true],
  ['mine 7.n30@5', 'mine 7.n30@7', true],
  ['mine 7.20', 'mine 7.', true],
  ['mine 7.', 'mine 7.n30@5', true],
  ['mine 7.', 'mine 7.', false],
  ['mine 7', 'mine 7', false],
  ['mine 7', 'mine 8', true],
  // A partition, by the table that it is one of: detached for a while, and as an older engine has told it.
  ['mine 7.20@800', 'mine 7.20@800', false],
  ['mine 7.20@800', 'mine 7.20@801', true],
  ['mine 7.20@800,21', 'mine 7.20@801,21', false],
  ['mine 7.20', 'mine 7.20@800', false],
  // An older engine has not told by which schema.
  ['mine 7', 'mine 7.n30@5', false],
  ['mine 7', 'mine 7.20', true],
  ['a. b 7.20', 'a. b 7.21', true],
  ['theirs 7.20', 'mine 7.21', false],
])('a table that the publication has by %s, and then by %s, was out of it in between: %s', ([was, is, isGap]) => {
  const told = untoldChange({ published: was }, { published: is }, () => true);
  expect(told?.includes('was taken out of publication') ?? false).toBe(isGap);
});

test.for<readonly [older: string, now: string]>([
  ['a. b 7', 'a. b 7'],
  ['mine 7.20', 'mine 7.20#5'],
  ['mine 7.n30@5', 'mine 7.n30@5#5'],
  ['mine 7', 'mine 7.n30@5#5'],
  ['mine 7.9', 'mine 7.20,9@800,n30@5#5'],
])(
  'what a look has halted at is known again where an older engine has told of a publication: %s, and now %s',
  ([older, now]) => {
    const keyed = { ...before, uniqueKeys: [{ id: '10', columns: [1] }] };
    for (const found of [before, keyed])
      expect(isPrintOf(printOf({ ...found, published: older }), { ...keyed, published: now })).toBe(true);
    expect(isPrintOf(printOf({ ...before, published: older }), { ...keyed, published: 'mine 7.21#5' })).toBe(false);
  },
);

test('a table that was out of its publication for a while is told, and one of a route that has another name is not', async () => {
  const guards = new Guards('evolve');
  const published = (entry: string): TableFacts => ({ ...before, published: entry });
  // What it is as a whole was not stored by an older engine.
  for (const entry of ['prod__a 16400.16401', 'prod__ab 16500.16501', 'prod__ab 16500.16501#7']) {
    guards.catalogue = published(entry);
    await guards.look('0/2');
    expect(guards.definition.published).toBe(entry);
  }
  guards.catalogue = published('prod__ab 16500.16502#7');
  // Also where it was put back while the route was away: what is announced then proves nothing.
  guards.start(null);
  await guards.meet('0/3', '8');
  await expect(guards.look('0/4')).rejects.toMatchObject({
    code: 'TL-4109',
    message: expect.stringContaining('it was taken out of publication prod__ab and put back'),
  });
  guards.start(at('0/5'));
  await guards.look('0/6');
  expect(guards.definition.published).toBe('prod__ab 16500.16502#7');
  // As before again, once somebody has looked why it has halted.
  guards.catalogue = published('prod__ab 16500.#7');
  await expect(guards.look('0/6')).rejects.toMatchObject({ code: 'TL-4109' });
  guards.catalogue = published('prod__ab 16500.16502#7');
  guards.start(at('0/5'));
  await guards.meet('0/6', '9');
  const did = { message: expect.stringContaining('its publication did not have it') };
  await expect(guards.look('0/6')).rejects.toMatchObject(did);
  // Whatever else halts meanwhile.
  guards.catalogue = { ...published('prod__ab 16500.16502#7'), columns: after.columns, stamps: after.stamps };
  guards.start(null);
  await expect(guards.look('0/6')).rejects.toMatchObject({ code: 'TL-4109' });
  guards.catalogue = published('prod__ab 16500.16502#7');
  guards.start(null);
  await expect(guards.look('0/6')).rejects.toMatchObject(did);
  guards.start(at('0/7'));
  await guards.look('0/7');
  // By what a session before has ended of.
  guards.definition = { ...guards.definition, halted: { at: at('0/7'), print: '', lacks: 'unpublished' } };
  guards.start(null);
  await expect(guards.look('0/7')).rejects.toMatchObject(did);
  guards.start(at('0/7'));
  await guards.look('0/7');
  expect(guards.definition.halted).toBeUndefined();
  guards.catalogue = published('prod__ab 16500.16502#9');
  await expect(guards.look('0/7')).rejects.toMatchObject({
    message: expect.stringContaining('publication prod__ab was altered'),
  });
});

test('a partition that is not logged for a while halts, and once more when it is logged again, until a person has accepted it', async () => {
  const guards = new Guards('evolve');
  guards.catalogue = { ...before, unlogged: ['public.p_1'] };
  // Rows of others go on; the look tells.
  await guards.meet('0/2', '8');
  await expect(guards.look('0/3')).rejects.toMatchObject({
    code: 'TL-4109',
    message: expect.stringContaining('public.p_1 is unlogged'),
  });
  guards.catalogue = { ...before, storage: { 1: '2' } };
  guards.start(null);
  await guards.meet('0/4', '9');
  await expect(guards.look('0/5')).rejects.toMatchObject({
    code: 'TL-4109',
    message: expect.stringContaining('was not logged for a while'),
  });
  guards.start(at('0/6'));
  await guards.look('0/7');
  expect(guards.definition.halted).toBeUndefined();
  guards.start(null);
  await guards.look('0/8');
});

test('a table of a queue that was there before the route is looked at from the first look on, though no row has come', async () => {
  const named = (label: string): TableFacts => ({ ...before, labels: { 16400: label } });
  const { fingerprint } = storedTable(
    { source: versionOf(definitionOf(before)), tables: [], outputs: [{ owns: null }] } as never,
    null,
  );
  for (const [found, isKnown] of [
    [fingerprint, true],
    ['of other columns', false],
  ] as const) {
    const guards = new Guards('evolve');
    guards.unknown = found;
    guards.start(null);
    guards.catalogue = named('sad');
    expect((await guards.look('0/2')).length > 0).toBe(isKnown);
    guards.catalogue = named('blue');
    const look = guards.look('0/3');
    if (isKnown) await expect(look).rejects.toMatchObject({ code: 'TL-4109' });
    else expect(await look).toEqual([]);
  }
});

test('a partition that one transaction has made, filled and attached is told by a row as by a look; one that it made for new rows goes on', async () => {
  for (const isFilled of [true, false]) {
    const guards = new Guards('evolve');
    guards.catalogue = { ...before, storage: { 1: '1', 7: '7' } };
    guards.filled = isFilled ? ['7'] : [];
    for (const tell of [() => guards.meet('0/2', '8'), () => guards.look('0/3')]) {
      if (!isFilled) await tell();
      else
        await expect(tell()).rejects.toMatchObject({
          code: 'TL-4109',
          message: expect.stringContaining('attached as a partition'),
        });
    }
    expect(guards.definition.storage).toEqual(isFilled ? { 1: '1' } : { 1: '1', 7: '7' });
  }
});

test('a command about a table takes nothing away of what looks have to tell: partitions that have gone, and what is not in the queue', async () => {
  for (const isApplied of [false, true]) {
    const guards = new Guards('evolve', 'replicate');
    guards.tables = asTheyAre;
    guards.definition = { ...guards.definition, storage: { 1: '1', 7: '7' } };
    guards.start(null);
    guards.command('0/2', isApplied);
    const look = guards.look('0/3');
    // A person has done at the target what this one does at the source: it may be this that the partition has gone by.
    if (isApplied) await look;
    else await expect(look).rejects.toMatchObject({ message: expect.stringContaining('detached or dropped') });
    guards.definition = { ...definitionOf(before), halted: { at: at('0/4'), print: '', lacks: 'unpublished' } };
    guards.start(null);
    guards.command('0/4', isApplied);
    const lacks = { message: expect.stringContaining('its publication did not have it') };
    await expect(guards.look('0/5')).rejects.toMatchObject(lacks);
    // What was accepted before is something else.
    guards.definition = { ...guards.definition, id: '0' };
    guards.start(at('0/3'));
    await guards.meet('0/2', '9');
    expect(guards.definition.id).toBe('1');
    await expect(guards.look('0/6')).rejects.toMatchObject(lacks);
  }
});

test('ignore: a column of the name of one that was dropped and left at the target is not carried over its values', async () => {
  const met = new Guards('ignore');
  met.catalogue = after;
  await expect(met.meet('0/2', '9')).rejects.toMatchObject({ code: 'TL-4109' });
  const gone = { ...after, columns: [], lastColumn: 1, stamps: ['9'] };
  for (const isAgain of [false, true]) {
    const seen = new Guards('ignore');
    seen.catalogue = gone;
    await seen.look('0/2');
    expect(seen.definition.columns).toEqual([]);
    if (isAgain) seen.start(null);
    seen.catalogue = after;
    await expect(seen.meet('0/3', '9')).rejects.toMatchObject({ code: 'TL-4109' });
  }
  // A person who has accepted what else the command does has not said that the column has gone.
  const accepted = new Guards('ignore');
  accepted.catalogue = gone;
  accepted.start(at('0/4'));
  await accepted.meet('0/2', '9');
  expect(accepted.definition.columns).toEqual([]);
  accepted.catalogue = after;
  await expect(accepted.meet('0/5', '9')).rejects.toMatchObject({ code: 'TL-4109' });
});
