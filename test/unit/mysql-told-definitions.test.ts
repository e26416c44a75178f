import { describe, expect, test } from 'vitest';
import { AnnouncedTables } from '../../connectors/mysql/source/announced-tables.ts';
import { follow } from '../../connectors/mysql/source/definitions/follow.ts';
import { readAlter } from '../../connectors/mysql/source/definitions/read-alter.ts';
import type { OpenTransaction } from '../../connectors/mysql/source/open-transaction.ts';
import type { SchemaChange } from '../../src/core/change.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Position } from '../../src/core/position.ts';
import type { StoredTable } from '../../src/core/route-state-store.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TableDefinition, TableFacts } from '../../src/core/table-facts.ts';
import { SchemaGuard, type SchemaGuardOptions } from '../../src/pipeline/schema-guard.ts';

/** A column's name and its type; behind it `key`, `nullable`, `generated`. */
type Columns = Readonly<Record<string, string>>;

const bin = 'collate utf8mb4_bin';
const general = 'collate utf8mb4_general_ci';
const table = { schema: 'd', name: 't' } as const;

function isGenerated(type: string): boolean {
  return type.endsWith(' generated');
}

function versionOf(columns: Columns): TableVersion {
  const all = Object.entries(columns);
  const generated = all.filter(([, type]) => isGenerated(type)).map(([name]) => name);
  return {
    ...table,
    identity: 'full',
    columns: all
      .filter(([, type]) => !isGenerated(type))
      .map(([name, type]) => ({ name, type, modifier: -1, key: name === 'id' })),
    ...(generated.length > 0 && { generated }),
  };
}

function definitionOf(columns: Columns): TableDefinition {
  const common = { ...table, id: 'd.t', identity: 'full', storage: {}, gone: [], ignored: [] } as const;
  const numbered = versionOf(columns).columns.map((one, at) => ({
    ...one,
    id: at + 1,
    stamp: JSON.stringify([one.type, !one.key, '']),
  }));
  return { ...common, columns: numbered, generated: [], lastColumn: numbered.length };
}

type Event =
  /** A command, and the table as the catalogue has it by then. */
  | { readonly alter: string; readonly catalogue: Columns }
  | { readonly row: Columns }
  /** With the table as the catalogue has it, for a stream that knows nothing of it yet. */
  | { readonly truncate: Columns }
  | { readonly restart: true };

interface RunOptions {
  readonly schemaChanges?: 'evolve' | 'ignore' | 'halt';
  readonly mariadb?: boolean;
  readonly acceptedTo?: number;
  readonly toldTo?: number;
  /** The catalogue where somebody asks for it, and the end of the binlog by then. */
  readonly facts?: { readonly columns: Columns; readonly at: number };
  /** As it is stored, where that is another one than before the first event. */
  readonly stored?: Columns;
  /** Columns of the target, where they are others than those of before. */
  readonly target?: readonly string[];
}

const positionOf = (n: number): Position => String(n).padStart(4, '0') as unknown as Position;

/** What becomes of each event: `ok`, `waits`, the steps, or the code of the halt, which is the last. Transaction `n` begins at position n. */
async function run(before: Columns, events: readonly Event[], options: RunOptions = {}): Promise<string[]> {
  const { toldTo } = options;
  const known = definitionOf(options.stored ?? before);
  const definition = toldTo === undefined ? known : { ...known, toldTo: positionOf(toldTo) };
  let stored: StoredTable = { source: 'd.t', target: 'd.t', fingerprint: '', definition };
  let place = { at: positionOf(0), until: positionOf(1) };
  const start = () => ({ guard: guardOf(stored, before, options), announced: new AnnouncedTables(() => place) });
  let session = start();
  const outcomes: string[] = [];
  for (const [n, event] of events.entries()) {
    if ('restart' in event) {
      session = start();
      outcomes.push('ok');
      continue;
    }
    const changes: SchemaChange[] = [];
    const open = { builder: { add: (change: SchemaChange) => changes.push(change) } } as unknown as OpenTransaction;
    const { announced, guard } = session;
    place = { at: positionOf(n), until: positionOf(n + 1) };
    if ('alter' in event) {
      announced.touch(table);
      announced.announce(open, versionOf(event.catalogue), read(event.alter, options));
    } else if ('truncate' in event) {
      announced.touch(table);
      announced.announce(open, announced.get(table) ?? versionOf(event.truncate), []);
    } else announced.announce(open, versionOf(event.row));
    const [change] = changes;
    if (change === undefined) {
      outcomes.push('ok');
      continue;
    }
    const outcome = await guard.meet(change, 'x').then(
      () => outcomeOf(change),
      (error: { code: string }) => error.code,
    );
    outcomes.push(outcome);
    if (outcome.startsWith('TL-')) break;
    stored = JSON.parse(JSON.stringify(change.evolution?.stored ?? stored));
  }
  return outcomes;
}

function read(text: string, { mariadb = false }: RunOptions) {
  const dialect = {
    mariadb,
    ansiQuotes: false,
    noBackslashEscapes: false,
    emptyIsNull: false,
    padsCharacters: false,
  };
  return readAlter(table, { text, database: 'd', charsets: ['utf8mb4', 'utf8mb4'], dialect, logsCascades: true });
}

function outcomeOf({ evolution }: SchemaChange): string {
  if (evolution === undefined) return 'ok';
  if (evolution.stored?.definition?.told !== undefined) return 'waits';
  return evolution.steps.map((step) => step.kind).join(' ') || 'ok';
}

function factsOf({ columns, at }: NonNullable<RunOptions['facts']>): TableFacts {
  const { columns: known, ...rest } = definitionOf(columns);
  const all = known.map((column) => ({ ...column, nullable: true, missing: null }));
  return { ...rest, columns: all, position: positionOf(at), attached: [], stamps: [] };
}

function guardOf(stored: StoredTable, before: Columns, options: RunOptions): SchemaGuard {
  const { schemaChanges = 'evolve', acceptedTo = null, target = Object.keys(before) } = options;
  const facts = options.facts === undefined ? null : factsOf(options.facts);
  const selection = { transforms: [], where: null, excludedColumns: [], renamedColumns: new Map() };
  return new SchemaGuard({
    route: { name: 'r', tables: { select: () => selection }, schemaChanges, ddl: 'ignore', allow: [] },
    mapper: {
      adjust: () => {},
      bind: (source: TableVersion) => ({
        ...{ source, tables: [source], steps: [], dropped: new Set() },
        lineage: source.columns.map((_, at) => ({ by: '', sources: [at], injectiveOf: at })),
        outputs: [{ owns: null, table: source, projection: null }],
      }),
    },
    store: { setHalted: async () => {} },
    source: { facts: async () => facts, order: { covers: (a: string, b: string) => a >= b }, follow },
    target: { columns: async () => target.map((name) => ({ name })) },
    logger: silentLogger,
    stored: [stored],
    acceptedTo: acceptedTo === null ? null : positionOf(acceptedTo),
  } as unknown as SchemaGuardOptions);
}

/** What has come of it in the end. */
async function last(...given: Parameters<typeof run>): Promise<string> {
  const outcomes = await run(...given);
  return outcomes.findLast((outcome) => outcome !== 'ok' && outcome !== 'waits') ?? 'ok';
}

describe('what a command leaves unproven is told with the next row, whose definition the catalogue has shown before', () => {
  const cases: readonly (readonly [title: string, before: Columns, alter: string, after: Columns, expected: string])[] =
    [
      [
        'generated',
        { id: 'int', a: 'int', b: 'int' },
        'ALTER TABLE t MODIFY b INT AS (a * 2) STORED',
        { id: 'int', a: 'int', b: 'int generated' },
        'TL-4109',
      ],
      [
        'one more that is generated, beside a drop and an add',
        { id: 'int', a: 'int', b: 'int' },
        'ALTER TABLE t ADD g INT AS (a + 1), DROP b, ADD b INT DEFAULT 7',
        { id: 'int', a: 'int', g: 'int generated', b: 'int' },
        'TL-4109',
      ],
      [
        "blanks at the end, with the table's collation",
        { id: 'int', a: `varchar(20) ${general}` },
        'ALTER TABLE t MODIFY a CHAR(20)',
        { id: 'int', a: `char(20) ${bin}` },
        'TL-4109',
      ],
      [
        "NOT NULL, with the table's collation",
        { id: 'int', a: `varchar(20) ${general}` },
        'ALTER TABLE t MODIFY a VARCHAR(20) NOT NULL',
        { id: 'int', a: `varchar(20) ${bin}` },
        'TL-4109',
      ],
      [
        "the table's charset",
        { id: 'int', a: `varchar(20) ${general}` },
        'ALTER TABLE t MODIFY a VARCHAR(20)',
        { id: 'int', a: 'varchar(20) collate latin1_swedish_ci' },
        'TL-4109',
      ],
      [
        'a type by another name, beside a drop and an add',
        { id: 'int', a: `varchar(20) ${bin}`, b: 'int' },
        'ALTER TABLE t MODIFY a NATIONAL VARCHAR(20), DROP b, ADD b INT DEFAULT 7',
        { id: 'int', a: 'varchar(20) collate utf8mb3_general_ci', b: 'int' },
        'TL-4109',
      ],
      [
        'a text by a number of bytes',
        { id: 'int', a: `text ${bin}` },
        'ALTER TABLE t MODIFY a TEXT(20)',
        { id: 'int', a: `tinytext ${bin}` },
        'TL-4109',
      ],
      [
        'what no command of the binlog has made',
        { id: 'int', a: 'decimal(10,4)' },
        'ALTER TABLE t ADD INDEX (a)',
        { id: 'int', a: 'decimal(10,2)' },
        'TL-4109',
      ],
      [
        'the same beside a command that is followed',
        { id: 'int', a: 'decimal(10,4)', b: 'int' },
        'ALTER TABLE t DROP b',
        { id: 'int', a: 'decimal(10,2)' },
        'TL-4109',
      ],
      [
        'a wider type beside an add, in a table of another collation',
        { id: 'int', a: `varchar(20) ${general}` },
        'ALTER TABLE t MODIFY a VARCHAR(40), ADD c INT DEFAULT 5',
        { id: 'int', a: `varchar(40) ${bin}`, c: 'int' },
        'retype add',
      ],
      [
        'a collation by an older name',
        { id: 'int', a: 'varchar(20) collate utf8mb3_bin', b: 'int' },
        'ALTER TABLE t MODIFY a VARCHAR(30) COLLATE utf8_general_ci, ADD c INT',
        { id: 'int', a: 'varchar(30) collate utf8mb3_general_ci', b: 'int', c: 'int' },
        'retype add',
      ],
    ];
  for (const schemaChanges of ['evolve', 'ignore'] as const)
    test.for(cases)(`${schemaChanges}: %s`, async ([, before, alter, after, followed]) => {
      const expected = followed.startsWith('TL-') || schemaChanges === 'evolve' ? followed : 'ok';
      const events: Event[] = [{ row: before }, { alter, catalogue: after }, { row: after }];
      expect(await last(before, events, { schemaChanges })).toBe(expected);
      // Nor does a restart between the command and the row let it pass.
      const over: Event[] = [{ row: before }, { alter, catalogue: after }, { restart: true }, { row: after }];
      expect(await last(before, over, { schemaChanges })).toBe(expected);
    });

  test('rows that come by it are not undone by a command behind them', async () => {
    const before = { id: 'int', a: 'int', b: 'int' };
    const after = { id: 'int', a: 'int', b: 'int' };
    const alter = 'ALTER TABLE t MODIFY a NATIONAL VARCHAR(20), DROP b, ADD b INT DEFAULT 7';
    const between = { id: 'int', a: 'varchar(20) collate utf8mb3_general_ci', b: 'int' };
    const events: Event[] = [
      { row: before },
      { alter, catalogue: between },
      { row: between },
      { alter: 'ALTER TABLE t MODIFY a INT', catalogue: after },
      { row: after },
    ];
    expect(await run(before, events)).toEqual(['ok', 'TL-4109']);
  });
});

describe('names that were traded at the target are not traded back', () => {
  const before = { id: 'int', a: 'int', b: 'int' };
  const traded = { id: 'int', b: 'int', a: 'int' };
  const alter = 'ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a';

  test('where rows in front of the command, which the filter has left out, come once more', async () => {
    const events: Event[] = [{ row: before }, { row: before }, { alter, catalogue: traded }, { row: traded }];
    // Settled behind a kill: what the command in transaction 2 does is in it.
    expect(await run(before, events, { stored: traded, toldTo: 2 })).toEqual(['ok', 'ok', 'ok', 'ok']);
    // What comes behind counts again.
    const again: Event[] = [...events, { alter, catalogue: before }];
    expect(await last(before, again, { stored: traded, toldTo: 2 })).toBe('rename rename rename');
  });
});

describe('a TRUNCATE, beside which only the catalogue is known', () => {
  const before = { id: 'int', a: 'int' };
  const after = { id: 'int', a: 'int', c: 'int' };

  test('halts nothing where the catalogue has what a later command makes', async () => {
    const events: Event[] = [
      { truncate: after },
      { alter: 'ALTER TABLE t ADD c INT', catalogue: after },
      { row: after },
    ];
    expect(await run(before, events)).toEqual(['ok', 'add', 'ok']);
  });

  test('proves nothing, and leaves the next row to be told', async () => {
    const narrow = { id: 'int', a: 'smallint' };
    const events: Event[] = [{ row: before }, { alter: 'ALTER TABLE t ADD INDEX (a)', catalogue: narrow }];
    expect(await run(before, [...events, { truncate: narrow }, { row: narrow }])).toEqual([
      'ok',
      'ok',
      'ok',
      'TL-4109',
    ]);
  });
});

describe('behind a modification that says no charset, which is the table’s then', () => {
  const before = { id: 'int', a: `varchar(20) ${general}` };
  const first = { alter: 'ALTER TABLE t MODIFY a VARCHAR(20)', catalogue: before };

  test('a catalogue that a later command has brought back proves nothing', async () => {
    const back = { alter: 'ALTER TABLE t MODIFY a VARCHAR(20) CHARACTER SET utf8mb4', catalogue: before };
    expect(await run(before, [first, back])).toEqual(['waits', 'TL-4109']);
    expect(await run(before, [first, { restart: true }, back])).toEqual(['waits', 'ok', 'TL-4109']);
  });

  test('a row does', async () => {
    expect(await run(before, [first, { row: before }])).toEqual(['waits', 'ok']);
    expect(await run(before, [first, { row: { id: 'int', a: 'varchar(20) collate latin1_bin' } }])).toEqual([
      'waits',
      'TL-4109',
    ]);
  });
});

test('a row proves no modification to another type than it comes with', async () => {
  // The blanks at the end are gone, and a command that was not logged has made it what it was.
  const before = { id: 'int', a: `varchar(20) ${bin}` };
  const events: Event[] = [{ alter: 'ALTER TABLE t MODIFY a CHAR(20)', catalogue: before }, { row: before }];
  expect(await run(before, events)).toEqual(['waits', 'TL-4109']);
});

describe('ignore: a column of the name of one that the target still has', () => {
  const before = { id: 'int', a: 'int', b: 'int' };
  const after = { id: 'int', b: 'int', a: 'int' };
  const options = { schemaChanges: 'ignore', target: ['id', 'a', 'b'] } as const;

  test('in one command', async () => {
    const events: Event[] = [{ row: before }, { alter: 'ALTER TABLE t DROP a, ADD a INT', catalogue: after }];
    expect(await run(before, events, options)).toEqual(['ok', 'TL-4109']);
  });

  test.each([false, true])('later, over a restart: %s', async (restarts) => {
    const gone = { id: 'int', b: 'int' };
    const events: Event[] = [
      { alter: 'ALTER TABLE t DROP a', catalogue: gone },
      { row: gone },
      ...(restarts ? [{ restart: true } as const] : []),
      { alter: 'ALTER TABLE t ADD a INT', catalogue: after },
    ];
    expect(await last(before, events, options)).toBe('TL-4109');
    // Somebody has dropped it there: it is left out.
    expect(await last(before, events, { ...options, target: ['id', 'b'] })).toBe('ok');
  });
});

describe('what a person has accepted', () => {
  const before = { id: 'int', a: 'int', b: 'int' };
  const after = { id: 'int', b: 'int', a: 'int' };
  const alter = 'ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a';
  const events: Event[] = [{ row: before }, { alter, catalogue: after }];

  test('has the command that was committed before, not the one that comes next', async () => {
    // Transaction 1 is committed where the binlog has got to 2.
    expect(await last(before, events, { acceptedTo: 2 })).toBe('ok');
    expect(await last(before, events, { acceptedTo: 1 })).toBe('rename rename rename');
  });

  test('is the catalogue as it is by then, and later commands that it has already halt', async () => {
    const narrow = { id: 'int', a: 'decimal(10,2)', b: 'int' };
    const facts = { columns: narrow, at: 3 };
    const accepted: Event[] = [
      { alter: 'ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4', catalogue: narrow },
      { alter: 'ALTER TABLE t ADD INDEX (a)', catalogue: narrow },
      { alter: 'ALTER TABLE t MODIFY a DECIMAL(10,2)', catalogue: narrow },
    ];
    const from = { id: 'int', a: 'decimal(10,4)', b: 'int' };
    expect(await run(from, accepted, { facts, acceptedTo: 1 })).toEqual(['ok', 'ok', 'TL-4109']);
    // Accepted once more.
    expect(await run(from, accepted, { facts, acceptedTo: 3 })).toEqual(['ok', 'ok', 'ok']);
    // A command behind it is like any other.
    const behind: Event[] = [...accepted.slice(0, 2), { row: narrow }, accepted[2] as Event];
    expect(await run(from, behind, { facts: { ...facts, at: 2 }, acceptedTo: 1 })).toEqual(['ok', 'ok', 'ok', 'ok']);
  });
});

test.for([
  ['another type', 'ALTER TABLE t DROP a, ADD a INT', 'int'],
  ['a shorter one of its kind', 'ALTER TABLE t DROP a, ADD a VARCHAR(10) COLLATE utf8mb4_bin', `varchar(10) ${bin}`],
] as const)(
  'a route that is behind goes on where a later command has overtaken the first: %s',
  async ([, later, type]) => {
    const before = { id: 'int', a: `varchar(20) ${bin}` };
    const catalogue = { id: 'int', a: type };
    const events: Event[] = [
      { row: before },
      { alter: 'ALTER TABLE t MODIFY a VARCHAR(40) COLLATE utf8mb4_bin', catalogue },
      { alter: later, catalogue },
      { row: catalogue },
    ];
    const outcomes = await run(before, events);
    expect(outcomes.slice(0, 2)).toEqual(['ok', 'waits']);
    expect(outcomes.slice(2).filter((one) => one !== 'ok' && one !== 'waits')).toEqual(['drop add']);
  },
);

test('a command that no row could prove halts at once where the catalogue is what it makes', async () => {
  const before = { id: 'int', a: 'decimal(10,4)' };
  const events: Event[] = [
    { row: before },
    {
      alter: 'ALTER TABLE t MODIFY a DECIMAL(10,2), ADD INDEX (b)',
      catalogue: { id: 'int', a: 'decimal(10,2)', b: 'int' },
    },
  ];
  expect(await run(before, events)).toEqual(['ok', 'TL-4109']);
});
