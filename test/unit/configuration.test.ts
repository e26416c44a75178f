import { describe, expect, test } from 'vitest';
import { ConfigurationFiles, caught, problemsOf, withRoute } from '../support/configuration-files.ts';

const minimal = withRoute('tables: [public.t]');

describe('a route', () => {
  test('has the documented defaults', () => {
    using files = new ConfigurationFiles();
    const configuration = files.load(minimal);
    const route = configuration.routes.demand('r', 'route');
    expect(route).toMatchObject({
      deployment: 'prod',
      name: 'r',
      load: { mode: 'initial', existing: 'refuse', wholeUpToBytes: 100_000_000 },
      forward: 'own',
      newTables: 'halt',
      sequencesEveryMs: null,
      sequences: { include: [], exclude: [] },
      schemaChanges: 'halt',
      ddl: 'ignore',
      apply: {
        groupRows: 5000,
        groupTimeMs: 20,
        lanes: 1,
        onError: 'halt',
        maxRowBytes: 256_000_000,
        memoryBytes: 128_000_000,
      },
      limits: {
        lag: { warnMs: 10_000, criticalMs: 60_000 },
        retained: { warnBytes: 5e9, criticalBytes: 20e9 },
      },
      allow: [],
      given: {},
    });
    expect(route.collisions.forTable('public', 't')).toBe('halt');
    expect(configuration.service).toEqual({ api: null, probes: null, allow: [] });
    expect(configuration.notify).toEqual([]);
  });

  test('takes what it does not say from defaults, key by key', () => {
    using files = new ConfigurationFiles();
    const defaults = 'defaults:\n  apply: { groupRows: 7, memory: 1GiB }\n  exclude: [public.x_*]\n';
    const configuration = files.load(withRoute('tables: [public.*]\napply: { groupRows: 8 }\nexclude: []', defaults));
    const route = configuration.routes.demand('r', 'route');
    expect(route.apply).toMatchObject({ groupRows: 8, memoryBytes: 2 ** 30 });
    expect(route.tables.select('public', 'x_1')).not.toBeNull();
  });

  test('reports a wrong default once, where it is written', () => {
    using files = new ConfigurationFiles();
    const problems = files.problems(withRoute('tables: [public.t]', 'defaults: { apply: { groupTime: 20 } }\n'));
    expect(problems).toMatchObject([{ line: 6, column: 33 }]);
  });

  test('may use anchors, merge keys and keys of its own', () => {
    using files = new ConfigurationFiles();
    const text = withRoute(
      'tables: [public.t]\nx-note: mine\napply: { <<: *fast, memory: 1MB }',
      'x-fast: &fast { groupRows: 9, memory: 2MB }\n',
    );
    const route = files.load(text).routes.demand('r', 'route');
    expect(route.apply).toMatchObject({ groupRows: 9, memoryBytes: 1_000_000 });
  });

  test('resolves references when it is asked for, and not before', () => {
    using files = new ConfigurationFiles();
    const text = withRoute('tables: [public.t]\napply: { groupRows: "${ROWS}", groupTime: "${TIME:-30ms}" }');
    expect(files.load(text, { ROWS: '12' }).routes.demand('r', 'route').apply).toMatchObject({
      groupRows: 12,
      groupTimeMs: 30,
    });
    expect(files.load(text).name).toBe('prod');
    const problems = files.problems(text, (configuration) => configuration.routes.get('r'));
    expect(problems).toMatchObject([{ code: 'TL-1005', line: 11, path: 'routes.r.apply.groupRows' }]);
    expect(problems[0]?.message).toContain('ROWS');
  });

  test('is named in the error where a resolved value does not fit, without the value', () => {
    using files = new ConfigurationFiles();
    const text = withRoute('tables: [public.t]\nforward: "${SECRET}"');
    const error = files.error(text, (configuration) => configuration.routes.get('r'), { SECRET: 'hunter2' });
    expect(problemsOf(error)).toMatchObject([{ path: 'routes.r.forward', line: 11 }]);
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  test('has a fingerprint that changes with its meaning only', () => {
    using files = new ConfigurationFiles();
    const print = (route: string): string => files.load(withRoute(route), { K1: 'a', K2: 'b' }).fingerprint('r');
    const masked = (key: string, column: string): string =>
      `tables: [{ name: public.t, transforms: [{ mask: { columns: [${column}], method: hmac, key: "${key}" } }] }]`;
    expect(print('tables: [public.a, public.b]')).toBe(print('load: { mode: initial }\ntables: [public.b, public.a]'));
    expect(print('tables: [public.a, public.b]')).not.toBe(print('tables: [public.a]'));
    expect(print(masked('${K1}', 'c'))).toBe(print(masked('${K2}', 'c')));
    expect(print(masked('${K1}', 'c'))).not.toBe(print(masked('${K1}', 'd')));
  });
});

describe('what is wrong is reported with place, path and the nearest name:', () => {
  const cases: [name: string, route: string, expected: object][] = [
    ['unknown key', 'tabels: [public.t]\ntables: [public.t]', { path: 'routes.r.tabels', line: 10, column: 5 }],
    ['unknown node', 'tables: [public.t]\nto: aa', { path: 'routes.r.to' }],
    [
      'wrong word',
      'tables: [public.t]\nforward: al',
      { path: 'routes.r.forward', message: expect.stringContaining('"all"') },
    ],
    ['no unit', 'tables: [public.t]\napply: { memory: 5 }', { path: 'routes.r.apply.memory' }],
    ['too large', 'tables: [public.t]\napply: { memory: 999999999999TB }', { message: 'is too large' }],
    [
      'a row beyond what can be held',
      'tables: [public.t]\napply: { maxRowBytes: 1GB }',
      { message: 'is more than 256MB' },
    ],
    ['not a list', 'tables: public.t', { message: 'wants a list, is text' }],
    ['no schema', 'tables: [t]', { path: 'routes.r.tables[0]' }],
    ['capitals', 'tables: [public.T]', { message: expect.stringContaining('double quotes') }],
    ['same table twice', 'tables: [public.t, \'"public".t\']', { path: 'routes.r.tables[1]' }],
    ['same glob twice', "tables: ['public.*', 'public.*']", { path: 'routes.r.tables[1]' }],
    ['same target', 'tables: [public.t, { name: public.u, to: public.t }]', { path: 'routes.r.tables[1]' }],
    ['named and excluded', 'tables: [public.t]\nexclude: [public.t]', { path: 'routes.r.exclude[0]' }],
    [
      'excluded and renamed',
      'tables: [{ name: public.t, columns: { exclude: [a], rename: { a: b } } }]',
      { path: 'routes.r.tables[0].columns.rename.a' },
    ],
    ['warn above critical', 'tables: [public.t]\nlimits: { lag: { warn: 2m } }', { path: 'routes.r.limits.lag' }],
    [
      'unknown allowance',
      'tables: [public.t]\nallow: [targetTrigers]',
      { message: expect.stringContaining('"targetTriggers"') },
    ],
    [
      'hmac without key',
      'tables: [{ name: public.t, transforms: [{ mask: { columns: [a], method: hmac } }] }]',
      { path: 'routes.r.tables[0].transforms[0].mask.key' },
    ],
    [
      'unknown transform',
      'tables: [{ name: public.t, transforms: [{ maks: {} }] }]',
      { message: expect.stringContaining('"mask"') },
    ],
    ['bad slot', 'tables: [public.t]\nslot: My-Slot', { path: 'routes.r.slot' }],
    ...[`owns: "lower(a) = 'x'" }]`, 'owns: "a = 1" }]\nddl: replicate', 'owns: "a = 1" }]\nschemaChanges: evolve'].map(
      (owns): [string, string, object] => [
        owns,
        `tables: [{ name: public.t, ${owns}`,
        { path: 'routes.r.tables[0].owns' },
      ],
    ),
  ];
  test.each(cases)('%s', (_, route, expected) => {
    using files = new ConfigurationFiles();
    // A second `to` would be a YAML error.
    const text = route.includes('\nto:') ? withRoute(route).replace('    to: b\n', '') : withRoute(route);
    const problems = files.problems(text);
    expect(problems).toContainEqual(expect.objectContaining(expected));
    expect(problems.every((problem) => problem.code === 'TL-1002')).toBe(true);
  });

  test('all at once', () => {
    using files = new ConfigurationFiles();
    const error = files.error(withRoute('tables: []\nforward: x\napply: { nope: 1 }\nwhere: 2'));
    expect(problemsOf(error).map((problem) => problem.path)).toEqual(
      expect.arrayContaining(['routes.r.tables', 'routes.r.forward', 'routes.r.apply.nope', 'routes.r.where']),
    );
    expect(error.message).toContain('4 problems');
  });
});

describe('what this version does not have is refused by name:', () => {
  test.each([
    'type: mssql',
    'type: kafka',
    'type: postgres, capture: { type: trigger }',
    'type: postgres, read: { url: x }',
  ])('node with %s', (keys) => {
    using files = new ConfigurationFiles();
    const error = files.error(minimal.replace('type: postgres', keys));
    expect(error.code).toBe('TL-1004');
  });
});

describe('YAML', () => {
  test.each([
    ['a key twice', 'name: a\nname: b', 2],
    ['an unknown tag', 'name: !secret a', 1],
    ['an alias without an anchor', 'name: *nobody', 1],
    ['an alias to itself', 'x-a: &a [*a]', 1],
    ['a tab', 'nodes:\n\ta: b', 2],
    ['two documents', 'name: a\n---\nname: b', 2],
    ['no mapping', '- a', 1],
  ])('%s is an error with its line', (_, text, line) => {
    using files = new ConfigurationFiles();
    const error = files.error(text);
    expect(error.code).toBe('TL-1003');
    expect(problemsOf(error)[0]).toMatchObject({ file: 'tidelock.yaml', line });
  });

  test('a reference and a glob that lack their quotes are told as such, once each', () => {
    using files = new ConfigurationFiles();
    const references = files.error('nodes:\n  a: { url: ${A_URL} }\n  b: { url: ${B_URL}, type: postgres }');
    expect(problemsOf(references)).toMatchObject([
      { line: 2, column: 13, message: expect.stringContaining('double quotes: "${NAME}"') },
      { line: 3, column: 13, message: expect.stringContaining('double quotes: "${NAME}"') },
    ]);
    expect(problemsOf(files.error('routes:\n  r:\n    tables: [*.*]'))).toMatchObject([
      { line: 3, message: expect.stringContaining('needs quotes: "*.*"') },
    ]);
    expect(problemsOf(files.error('routes:\n  r: { to: crm.{table} }\n  s: { a: b }'))).toHaveLength(1);
  });

  test('an error never quotes the text at its place', () => {
    using files = new ConfigurationFiles();
    const error = files.error('nodes:\n  a: { password: "x" hunter2 }\n b: hunter2 }');
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  test('aliases that multiply end in an error, quickly', () => {
    using files = new ConfigurationFiles();
    const lines = ['x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `x-${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    expect(files.error(lines.join('\n')).code).toBe('TL-1003');
  });
});

describe('the file', () => {
  test('is the named one, else that of TIDELOCK_CONFIG, else tidelock.yaml', async () => {
    const { loadConfiguration } = await import('../../src/config/load-configuration.ts');
    using files = new ConfigurationFiles();
    const cwd = files.directory;
    expect(caught(() => loadConfiguration({ env: {}, cwd })).code).toBe('TL-1001');
    for (const name of ['tidelock', 'other', 'third']) files.write(`${name}.yaml`, minimal.replace('prod', name));
    expect(loadConfiguration({ env: {}, cwd }).name).toBe('tidelock');
    const env = { TIDELOCK_CONFIG: 'other.yaml' };
    expect(loadConfiguration({ env, cwd }).name).toBe('other');
    expect(loadConfiguration({ file: 'third.yaml', env, cwd }).name).toBe('third');
  });

  test('may include others, relative to itself, which add to it', () => {
    using files = new ConfigurationFiles();
    files.write(
      'more/r2.yaml',
      'version: 1\nroutes: { r2: { from: b, to: a, tables: [public.t] } }\ninclude: [deep/*.yaml]',
    );
    files.write('more/deep/r3.yaml', 'routes: { r3: { from: b, to: a, tables: [public.t] } }');
    const configuration = files.load(`include: [more/*.yaml]\n${minimal}`);
    expect([...configuration.routes.keys()].sort()).toEqual(['r', 'r2', 'r3']);
  });

  test('and an included one must not say the same', () => {
    using files = new ConfigurationFiles();
    files.write('more.yaml', 'name: other\nroutes: { r: { from: b, to: a, tables: [public.t] } }');
    const error = files.error(`include: [more.yaml]\n${minimal}`);
    expect(error.code).toBe('TL-1006');
    expect(problemsOf(error)).toMatchObject([
      { file: 'more.yaml', line: 1, path: 'name', message: expect.stringContaining('tidelock.yaml:3:1') },
      { file: 'more.yaml', line: 2, path: 'routes.r', message: expect.stringContaining('tidelock.yaml:8:3') },
    ]);
  });

  test.each(['missing.yaml', 'none/*.yaml'])('that includes %s, which is not there, is an error', (name) => {
    using files = new ConfigurationFiles();
    expect(files.problems(`include: ["${name}"]\n${minimal}`)).toMatchObject([{ path: 'include', line: 1 }]);
  });

  test('that includes itself is an error', () => {
    using files = new ConfigurationFiles();
    expect(files.error(`include: [tidelock.yaml]\n${minimal}`).code).toBe('TL-1006');
  });

  test('must be UTF-8', async () => {
    const { loadConfiguration } = await import('../../src/config/load-configuration.ts');
    using files = new ConfigurationFiles();
    const { writeFileSync } = await import('node:fs');
    writeFileSync(files.write('tidelock.yaml', ''), Buffer.from([0xff, 0xfe, 0x80]));
    expect(caught(() => loadConfiguration({ env: {}, cwd: files.directory })).code).toBe('TL-1001');
  });
});
