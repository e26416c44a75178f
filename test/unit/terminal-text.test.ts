import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, test, vi } from 'vitest';
import { checkServerFacts } from '../../connectors/postgres/node/check-server.ts';
import type { ServerFacts } from '../../connectors/postgres/node/server-facts.ts';
import { checkText } from '../../src/cli/check-text.ts';
import type { CommandLine } from '../../src/cli/command-line.ts';
import { consequencesText } from '../../src/cli/drop-text.ts';
import { grantsText } from '../../src/cli/grants-text.ts';
import { initText } from '../../src/cli/init-text.ts';
import { journalText } from '../../src/cli/journal-text.ts';
import { parkedText } from '../../src/cli/parked/list-parked.ts';
import { repaint } from '../../src/cli/repaint.ts';
import { schemaText } from '../../src/cli/schema-text.ts';
import { tableText } from '../../src/cli/table-text.ts';
import { usesColours } from '../../src/cli/terminal.ts';
import { toldWhenSlow } from '../../src/cli/told-when-slow.ts';
import { wholeWords } from '../../src/cli/whole-words.ts';
import type { GrantsDocument } from '../../src/control/node-grants.ts';
import type { ParkedView } from '../../src/control/parked/list-parked.ts';
import type { Finding } from '../../src/core/finding.ts';
import type { Position } from '../../src/core/position.ts';
import type { NodeDefinition, RouteDefinition } from '../../src/core/route.ts';

const titles = ['ROUTE', 'TABLES', 'ROWS>'];
const rows = [
  ['a-route-with-a-name-of-thirty-c', `public.${'customers_and_their_orders_'.repeat(4)}2026`, '12,345'],
  ['kurz', '表格.名前', '1'],
];

test.each([40, 80, 120, 200])('a table fits %i columns, its numbers whole', (columns) => {
  const lines = tableText(titles, rows, columns).split('\n');
  for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
  expect(lines[1]).toMatch(/^a-route.* +public.*2026 +12,345$/);
  // Below each other, also behind characters that are two columns wide.
  const ends = lines.map((line) => stringWidth(line));
  expect(new Set(ends).size).toBe(1);
});

test('a time stays whole where there is no room for all', () => {
  const at = '2026-11-21 14:19:43';
  const [, line = ''] = tableText(['AT!', 'ROUTE', 'WHY'], [[at, 'a-route-of-a-name', 'why'.repeat(20)]], 60).split(
    '\n',
  );
  expect(line).toMatch(new RegExp(`^${at}  a-route-of-a-name  why.*…`));
  expect(stringWidth(line)).toBeLessThanOrEqual(60);
});

test('what init has written is named as it is reached: from here, or from anywhere', () => {
  const at = (file: string, cwd: string): string =>
    initText(
      {
        version: 1,
        file,
        template: 'one-way',
        routes: ['a-to-b'],
        addresses: {},
        variables: [],
        user: null,
        check: null,
        grants: [],
        notes: [],
      },
      { cwd, colours: false, columns: null },
    );
  expect(at('/srv/app/tidelock.yaml', '/srv/app')).toMatch(/^wrote tidelock.yaml[\s\S]*tidelock check\n/);
  expect(at('/srv/app/conf/t.yaml', '/srv/app')).toMatch(/^wrote conf\/t.yaml[\s\S]*tidelock check -c conf\/t.yaml\n/);
  const far = at('/etc/tidelock/tidelock.yaml', '/home/me/work');
  expect(far).toMatch(/^wrote \/etc\/tidelock\/tidelock.yaml/);
  expect(far).not.toContain('..');
});

test('a drop names what goes at the source, what was given and stays, and where nothing is kept', () => {
  const place = (node: string, database: string) => ({ node, hosts: ['h:1'], database });
  const text = (queue: object, database = 'shop'): string =>
    consequencesText({
      version: 1,
      route: 'r',
      dropped: false,
      source: place('shop', database),
      target: place('copy', 'copy'),
      queue: { name: 't__r', parts: [], given: false, state: 'idle', retainedBytes: 1_230_000, ...queue },
      tables: 1,
      targetTables: ['public.a'],
      parked: 0,
      left: [],
    }).split('\n')[1] ?? '';
  expect(text({ parts: ['slot', 'publication', 'capture'] })).toBe(
    '  at shop (h:1, database shop): slot, publication and capture of commands t__r (idle, 1.2 MB kept)',
  );
  expect(text({ given: true })).toMatch(/: slot t__r \(idle, 1.2 MB kept\) was given, and stays$/);
  expect(text({ given: true, parts: ['publication'] })).toMatch(/and stays; the route's publication goes$/);
  // A binlog is nobody's, and a node of MySQL is a whole server.
  expect(text({ retainedBytes: null }, '')).toBe('  at shop (h:1): nothing that is kept for this route alone');
});

test('what a terminal is told is broken between words, and goes on further in where it is indented', async () => {
  const text = `${'word '.repeat(30).trim()}\n  ${'other '.repeat(20).trim()}\n`;
  const at = (isTTY: boolean): Promise<string> =>
    wholeWords({ err: { isTTY, columns: 60 } as unknown as NodeJS.WriteStream }, text);
  expect(await at(false)).toBe(text);
  const lines = (await at(true)).split('\n');
  for (const line of lines) expect(line).toMatch(/^( {4}| {2})?((word|other)( |$))*$/);
  expect(lines.map((line) => line.length <= 60)).not.toContain(false);
  expect(lines.filter((line) => line.startsWith('    other'))).toHaveLength(
    lines.filter((line) => line.includes('other')).length - 1,
  );
});

test('a command that takes long says what it may be waiting for, once', async () => {
  vi.useFakeTimers();
  try {
    const told: string[] = [];
    const line = { err: { isTTY: false, write: (text: string) => told.push(text) } } as unknown as CommandLine;
    expect(await toldWhenSlow(line, Promise.resolve(1), 'waits\n')).toBe(1);
    const slow = toldWhenSlow(line, new Promise((resolve) => setTimeout(resolve, 60_000, 2)), 'waits\n');
    await vi.advanceTimersByTimeAsync(4_000);
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(56_000);
    expect(await slow).toBe(2);
    expect(told).toEqual(['waits\n']);
  } finally {
    vi.useRealTimers();
  }
});

test('what is parked fits any terminal: tables, then positions go below, and nothing is cut', () => {
  const one: ParkedView = {
    id: 1,
    transaction: '1069',
    position: '0/1BD4C60' as Position,
    committedAt: '2026-11-22T03:43:18.348Z',
    parkedAt: '2026-11-22T03:43:18.400Z',
    rows: 1,
    bytes: 10,
    tables: [{ table: 'public.item', inserts: 0, updates: 1, deletes: 0, truncates: 0 }],
    cause: 'collision',
    code: 'TL-2201',
    message: 'route r halted: update of public.item finds no such row',
    remedy: '',
    behind: null,
    attempts: 0,
    reason: null,
    askedBy: null,
  };
  const gtids = '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-99999' as Position;
  for (const columns of [80, 100, 140])
    for (const position of [one.position, gtids]) {
      const text = parkedText([{ ...one, position }], columns);
      for (const line of text.split('\n')) expect([columns, line.length <= columns]).toEqual([columns, true]);
      for (const whole of ['collision', 'public.item ~1', position]) expect(text).toContain(whole);
    }
  expect(parkedText([one], 140).split('\n')[1]).toMatch(/public\.item ~1$/);
});

test('grants that are run as they are printed make nobody a superuser', () => {
  const grant = { statement: 'GRANT "app" TO "t";', why: 'owns', need: 'required', held: false } as const;
  const grants = [grant, { ...grant, statement: 'GRANT "postgres" TO "t";', superuser: true as const }];
  const document: GrantsDocument = { version: 1, node: 'shop', user: 't', grants, missing: [], leftOut: [] };
  const text = grantsText(document, { place: 'shop', onlyMissing: false, colours: false, columns: null });
  expect(text.split('\n').filter((line) => !line.startsWith('--'))).toEqual(['', 'GRANT "app" TO "t";', '', '']);
  expect(text).toContain('\n-- GRANT "postgres" TO "t";\n');
  // On a terminal a long comment is several, and no line that a terminal would break.
  const why = 'only an owner may publish its tables '.repeat(5).trim();
  const narrow = grantsText(
    { ...document, grants: [{ ...grant, why }] },
    { place: 'shop', onlyMissing: false, colours: false, columns: 40 },
  );
  const [, ...lines] = narrow.split('\n\n')[1]?.split('\n').reverse().slice(1) ?? [];
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) expect(line).toMatch(/^-- .{1,37}$/);
});

test('what is in a name never ends a comment of a script that is printed', () => {
  const name = 'public."a\rDROP TABLE b;--\nDROP TABLE c;--"';
  const grants: GrantsDocument = { version: 1, node: 'shop', user: 't', grants: [], missing: [name], leftOut: [] };
  const left = [{ kind: 'view', name, isNeeded: false, text: null }];
  const target = { node: 'there', hosts: ['there:5432'], database: 'there' };
  const texts = [
    grantsText(grants, { place: 'shop', onlyMissing: false, colours: false, columns: null }),
    schemaText({ version: 1, route: 'r', target, statements: [], findings: [], left }),
  ];
  // As psql and the server read it.
  for (const line of texts.join('\n').split(/[\r\n]/)) expect(line).toMatch(/^(--|$)/);
});

test('the journal tells what an action was about, and where it does not fit its times stay whole', () => {
  const entry = {
    id: 1,
    route: 'shop-to-copy',
    at: '2026-11-21T14:19:43.407069Z',
    by: 'ops',
    via: 'cli',
    message: null,
  } as const;
  const done = { ...entry, result: 'done', code: null, reason: 'mended by hand' } as const;
  const journal = [
    { ...done, action: 'skip', details: { transaction: '772', position: '0/1' } },
    { ...done, action: 'discard', details: { ids: ['1', '2'] } },
    { ...done, action: 'start', details: { takeover: true, acceptSchemaChange: false, request: 4 } },
    { ...done, action: 'stop', details: { request: 5 } },
    { ...entry, action: 'retry', details: { ids: 'all' }, result: 'refused', code: 'TL-4202', reason: null },
  ] as const;
  const document = { version: 1, journal, before: null, missing: [] } as const;
  const text = journalText(document, null);
  for (const what of ['skip 772 ', 'discard 1, 2 ', 'start --takeover ', 'stop ', 'retry all '])
    expect(text).toContain(`copy  ${what}`);
  for (const line of journalText(document, 80).trimEnd().split('\n').slice(1)) {
    expect(line).toMatch(/^2026-11-21 14:19:43 /);
    expect(stringWidth(line)).toBeLessThanOrEqual(80);
  }
});

test('what is not a terminal gets whole texts', () => {
  expect(tableText(titles, rows, null)).toContain(rows[0]?.[1]);
});

test('a repainted screen is one write that never erases what it paints again, and never scrolls', () => {
  const text = Array.from({ length: 30 }, (_, at) => `line ${at}`).join('\n');
  const painted = repaint(text, 10);
  expect(painted.split('\n')).toHaveLength(10);
  expect(painted).toContain('… 22 more lines');
  expect(painted.indexOf('\u001b[J')).toBeGreaterThan(painted.indexOf('more lines'));
  expect(repaint('one\ntwo\n', 10)).toContain('one\u001b[K\ntwo\u001b[K\n\u001b[J');
});

test.each([
  [{ isTTY: true }, {}, true],
  [{ isTTY: false }, {}, false],
  [{ isTTY: true }, { NO_COLOR: '1' }, false],
  [{ isTTY: false }, { FORCE_COLOR: '1' }, true],
  [{ isTTY: true }, { FORCE_COLOR: '0' }, false],
  [{ isTTY: true }, { TERM: 'dumb' }, false],
])('colours on %j with %j: %s', (out, env, expected) => {
  expect(usesColours({ out: out as NodeJS.WriteStream, env: env as NodeJS.ProcessEnv })).toBe(expected);
});

describe('check', () => {
  const node = (name: string, host = 'db.internal'): NodeDefinition => ({
    name,
    type: 'postgres',
    allow: [],
    connection: () => ({
      hosts: [{ host, port: 5432 }],
      database: 'shop',
      user: 'tidelock',
      password: undefined,
      tls: { mode: 'off' },
    }),
  });
  const route = (name: string, more: Partial<RouteDefinition> = {}): RouteDefinition =>
    ({
      deployment: 'test',
      name,
      from: node('here'),
      to: node('there'),
      given: {},
      limits: { retained: { warnBytes: 5e9, criticalBytes: 20e9 }, lag: { warnMs: 1, criticalMs: 2 } },
      ...more,
    }) as RouteDefinition;
  const calm: ServerFacts = {
    version: '18.1',
    maxSlots: 10,
    slots: [],
    maxSenders: 10,
    senders: 0,
    maxSessions: 97,
    sessions: 5,
    roleLimit: -1,
    roleSessions: 1,
    pendingRestart: [],
    unsafeSettings: [],
    keepSizeBytes: -1,
    idleSlotTimeoutMs: 0,
    senderTimeoutMs: 60_000,
    transactionTimeoutMs: 0,
    session: { searchPath: 'pg_catalog', statementTimeout: '0', idleTimeout: '0' },
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    largeObjects: false,
    oldestTransaction: null,
    preparedTransactions: 0,
  };
  const three = [route('one'), route('two'), route('three')];
  const found = (facts: Partial<ServerFacts>, offsetMs = 0, sources = three) =>
    checkServerFacts({
      node: node('here'),
      use: { sources, targets: [] },
      facts: { ...calm, ...facts },
      clock: { offsetMs, errorMs: 5 },
    });
  const codes = (...args: Parameters<typeof found>): string[] =>
    found(...args).map(({ level, code }) => `${level} ${code}`);

  test('a server that suits has nothing to say but what it is', () => {
    expect(codes({})).toEqual(['info node.server']);
  });

  test.each<[string, Partial<ServerFacts>, string]>([
    ['two slots are free and three are wanted', { maxSlots: 2 }, 'error node.slots'],
    ['walsenders for two', { maxSenders: 2 }, 'error node.walSenders'],
    ['connections', { maxSessions: 10, sessions: 9 }, 'warning node.connections'],
    ['a limit of the role', { roleLimit: 3 }, 'error node.roleConnections'],
    ['a restart', { pendingRestart: ['wal_level'] }, 'warning node.pendingRestart'],
    ['what is committed is not flushed', { unsafeSettings: ['fsync'] }, 'warning node.unsafeSettings'],
    ['less is kept than the limit says', { keepSizeBytes: 10e9 }, 'warning node.keepSizeLimit'],
    ['idle slots are dropped', { idleSlotTimeoutMs: 3_600_000 }, 'warning node.idleSlotTimeout'],
    ['the stream ends soon', { senderTimeoutMs: 1_000 }, 'warning node.senderTimeout'],
    ['transactions end', { transactionTimeoutMs: 60_000 }, 'warning node.transactionTimeout'],
    ['a pooler', { session: { ...calm.session, searchPath: '"$user", public' } }, 'error node.sessionSettings'],
    ['no encryption', { tls: { version: null, cipher: null } }, 'warning node.tls'],
    ['large objects', { largeObjects: true }, 'warning node.largeObjects'],
    ['an old transaction', { oldestTransaction: { pid: 7, seconds: 3_600 } }, 'warning node.longTransaction'],
    ['prepared transactions', { preparedTransactions: 1 }, 'warning node.preparedTransactions'],
  ])('tells of %s', (_, facts, expected) => {
    expect(new Set(codes(facts))).toEqual(new Set(['info node.server', expected]));
    for (const { level, remedy } of found(facts)) if (level !== 'info') expect(remedy).not.toBe('');
  });

  test('tells of clocks apart by more than the question took', () => {
    expect(codes({}, 5_000)).toContain('warning node.clock');
    expect(codes({}, -5_000)).toContain('warning node.clock');
    expect(codes({}, 2_004)).not.toContain('warning node.clock');
  });

  test('a route that has its slot wants no other', () => {
    expect(codes({ maxSlots: 3, slots: ['test__one', 'test__two', 'x'] }, 0, three.slice(0, 2))).toEqual([
      'info node.server',
    ]);
  });

  test('what is printed fits the terminal, says the same thing once, and counts at the end', () => {
    const place = (name: string) => ({ node: name, hosts: ['db.internal:5432'], database: 'shop' });
    const slow: Finding = {
      level: 'warning',
      code: 'source.x',
      node: 'here',
      message: 'a long message about something '.repeat(5).trim(),
      remedy: 'Mend it.',
      statement: 'ALTER SYSTEM SET something = on;',
    };
    const routes = ['one', 'two'].map((name) => ({
      name,
      ok: name === 'one',
      findings: name === 'one' ? [slow] : [slow, { ...slow, level: 'error' as const, code: 'source.y' }],
      source: place('here'),
      target: place('there'),
    }));
    const nodes = [{ name: 'here', ok: true, findings: [], place: place('here') }];
    const text = checkText({ routes, nodes, service: null }, { colours: false, columns: 80 });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text.match(/source\.x/g)).toHaveLength(1);
    expect(text.trimEnd().split('\n').at(-1)).toBe('1 of 2 routes are ready; 1 error, 1 warning');
    // Without its nodes nothing is known of a route.
    const gone = [{ name: 'here', ok: false, findings: [{ ...slow, level: 'error' as const }], place: place('here') }];
    const said = checkText({ routes: [], nodes: gone, service: null }, { colours: true, columns: 80 });
    expect(said.trimEnd().split('\n').at(-1)).toBe(styleText('red', 'no route could be looked at; 1 error'));
  });
});
