import fc from 'fast-check';

/** Columns of the table that random expressions read. */
export const columnTypes: Readonly<Record<string, string>> = {
  b: 'bool',
  i2: 'int2',
  i4: 'int4',
  i8: 'int8',
  n: 'numeric',
  m: 'numeric(12,3)',
  f4: 'float4',
  f8: 'float8',
  t: 'text',
  u: 'text',
  v: 'varchar(20)',
  c: 'char(6)',
  d: 'date',
  h: 'time',
  ts: 'timestamp',
  tz: 'timestamptz',
  iv: 'interval',
  id1: 'uuid',
  y: 'bytea',
  j: 'json',
  jb: 'jsonb',
};

const characters = fc.constantFrom(...('aAbBzZ019 _%\\-.,éÉßπ～😀𝒳'.match(/./gu) ?? []));
const shortText = fc.array(characters, { maxLength: 7 }).map((all) => all.join(''));
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const small = fc.integer({ min: -9, max: 9 });
const int4s = fc.oneof(small, fc.constantFrom(0, 1, -1, 2147483647, -2147483648, 46341, 1000), fc.integer());
const int8s = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 3037000500n, 16777217n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const decimals = fc.oneof(
  fc.constantFrom(
    '0',
    '0.0',
    '1',
    '-1',
    '0.5',
    '-0.5',
    '1.5',
    '2.5',
    '-2.50',
    '999.995',
    '0.0005',
    '1e20',
    '1e-20',
    '12345678901234567890.123456789',
    '9999',
    '10000',
    '0.0001',
    '9999.9999',
  ),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.integer({ min: 0, max: 30 }))
    .map(([a, s]) => `${a}e-${s}`),
);
const doubles = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    0.5,
    1.5,
    2.5,
    -0.5,
    0.1,
    1e15,
    1e14,
    123456.5,
    1e-5,
    1e23,
    1e300,
    5e-324,
    9007199254740992,
    1.7976931348623157e308,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const singles = fc.oneof(
  fc.constantFrom(0, 1, -1.5, 0.1, 1e6, 1e5, 16777216, 3.4e38, 1e-45),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
);
const pad = (value: number, length = 2): string => String(value).padStart(length, '0');
const dates = fc.oneof(
  fc.constantFrom(
    '2000-01-01',
    '2024-02-29',
    '1999-12-31',
    '2021-01-03',
    '0001-01-01',
    '0044-03-15 BC',
    '1900-12-31',
    '2001-01-01',
  ),
  fc
    .tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
    .map(([y, m, d]) => `${pad(y, 4)}-${pad(m)}-${pad(d)}`),
);
const times = fc.oneof(
  fc.constantFrom('00:00:00', '23:59:59.999999', '12:00:00', '04:05:06.7'),
  fc
    .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999999))
    .map(([h, m, s, f]) => `${pad(h)}:${pad(m)}:${pad(s)}.${pad(f, 6)}`),
);
const stamps = fc
  .tuple(dates, times)
  .map(([date, time]) => (date.endsWith(' BC') ? `${date.slice(0, -3)} ${time} BC` : `${date} ${time}`));
const intervals = fc.oneof(
  fc.constantFrom(
    '1 day',
    '1 mon',
    '-1 year',
    '1 year 2 mons -3 days',
    '-00:00:00.5',
    '24:00:00',
    '30 days',
    '1 mon -30 days +00:00:01',
  ),
  fc
    .tuple(small, small, fc.integer({ min: -40, max: 40 }), fc.boolean(), times)
    .map(([y, m, d, minus, t]) => `${y} years ${m} mons ${d} days ${minus ? '-' : ''}${t}`),
);
const uuids = fc.oneof(
  fc.constantFrom('00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
  fc.uuid(),
);
const byteas = fc.uint8Array({ maxLength: 5 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`);
const json = fc.oneof(
  fc.constantFrom(
    '{"a": 1.50, "b": [1, "x", null, {"c": true}]}',
    '[1.0, "é\\n", null, [], {}]',
    'null',
    '"a"',
    '12',
    '{"a": {"b": "z"}, "": "empty"}',
    '{"a": null}',
  ),
  fc.json({ maxDepth: 2 }).map((text) => text.toWellFormed().replaceAll('\\u0000', '')),
);

/** Texts of values by type, as they are inserted. */
export const cellTexts: Readonly<Record<string, fc.Arbitrary<string>>> = {
  b: fc.constantFrom('t', 'f'),
  i2: fc.oneof(small, fc.constantFrom(32767, -32768), fc.integer({ min: -32768, max: 32767 })).map(String),
  i4: int4s.map(String),
  i8: int8s.map(String),
  n: fc.oneof(
    { weight: 9, arbitrary: decimals },
    { weight: 1, arbitrary: fc.constantFrom('NaN', 'Infinity', '-Infinity') },
  ),
  m: fc.integer({ min: -999999999, max: 999999999 }).map((value) => `${value}e-3`),
  f4: fc.oneof(
    { weight: 9, arbitrary: singles.map((v) => (Object.is(v, -0) ? '-0' : String(v))) },
    { weight: 1, arbitrary: fc.constantFrom('NaN', 'Infinity', '-Infinity') },
  ),
  f8: fc.oneof(
    { weight: 9, arbitrary: doubles.map((v) => (Object.is(v, -0) ? '-0' : String(v))) },
    { weight: 1, arbitrary: fc.constantFrom('NaN', 'Infinity', '-Infinity') },
  ),
  t: shortText,
  u: fc.oneof(shortText, fc.constantFrom('12', ' 7 ', '1.5', 'true', 'no', '2024-02-29', '-3', 'NaN', '04:05')),
  v: shortText,
  c: shortText.map((text) => [...text].slice(0, 6).join('')),
  d: fc.oneof(
    { weight: 9, arbitrary: dates },
    { weight: 1, arbitrary: fc.constantFrom('infinity', '-infinity', '5874897-12-31', '4714-11-24 BC') },
  ),
  h: times,
  ts: fc.oneof(
    { weight: 9, arbitrary: stamps },
    {
      weight: 1,
      arbitrary: fc.constantFrom('infinity', '-infinity', '294276-12-31 23:59:59.999999', '4714-11-24 00:00:00 BC'),
    },
  ),
  tz: fc.oneof({ weight: 9, arbitrary: stamps }, { weight: 1, arbitrary: fc.constantFrom('infinity', '-infinity') }),
  iv: intervals,
  id1: uuids,
  y: byteas,
  j: json,
  jb: json,
};

type Kind =
  | 'bool'
  | 'int'
  | 'numeric'
  | 'float'
  | 'text'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'interval'
  | 'uuid'
  | 'bytea'
  | 'json'
  | 'any';

/** Random SQL expressions of a kind of type. Most are well typed; `any` mixes what does not belong together. */
export const expressions = fc.letrec<Record<Kind, string>>((tie) => {
  const call = (name: string, ...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc.tuple(...parts).map((all) => `${name}(${all.join(', ')})`);
  const infix = (
    left: fc.Arbitrary<string>,
    signs: readonly string[],
    right: fc.Arbitrary<string>,
  ): fc.Arbitrary<string> =>
    fc.tuple(left, fc.constantFrom(...signs), right).map(([a, sign, b]) => `(${a} ${sign} ${b})`);
  const form = (parts: TemplateStringsArray, ...values: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc.tuple(...values).map((all) => `(${String.raw({ raw: parts }, ...all)})`);
  const typed = (type: string, texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    texts.map((text) => `${type} ${quoted(text)}`);
  const cast = (inner: fc.Arbitrary<string>, ...types: string[]): fc.Arbitrary<string> =>
    fc.tuple(inner, fc.constantFrom(...types)).map(([text, type]) => `(${text})::${type}`);
  const nil = fc.constant('NULL');
  const [bool, int, numeric, float, text] = [tie('bool'), tie('int'), tie('numeric'), tie('float'), tie('text')];
  const [date, time, stamp, stamptz, interval] = [
    tie('date'),
    tie('time'),
    tie('timestamp'),
    tie('timestamptz'),
    tie('interval'),
  ];
  const number = fc.oneof(int, numeric, float);
  const count = fc.oneof(small.map(String), fc.constantFrom('(i2 % 9)', '0'));
  const comparison = ['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'];
  const compared = (one: fc.Arbitrary<string>, other = one): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 4, arbitrary: infix(one, comparison, other) },
      form`${one} IN (${other}, ${other}, ${one})`,
      form`${one} NOT IN (${other}, ${fc.oneof(other, nil)})`,
      form`${one} BETWEEN ${other} AND ${other}`,
      form`${one} NOT BETWEEN ${other} AND ${other}`,
      form`CASE ${one} WHEN ${other} THEN true WHEN ${other} THEN false END`,
    );
  /** What every kind has. */
  const common = (one: fc.Arbitrary<string>, other = one): fc.Arbitrary<string>[] => [
    call('coalesce', one, other),
    form`CASE WHEN ${bool} THEN ${one} WHEN ${bool} THEN ${other} ELSE ${one} END`,
    form`CASE WHEN ${bool} THEN ${one} END`,
    call('nullif', one, other),
    call('greatest', one, other, nil),
    call('least', one, other),
  ];
  const kind = (leaves: fc.Arbitrary<string>[], inner: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc.oneof({ maxDepth: 4, depthIdentifier: 'expression' }, fc.oneof(...leaves), ...inner);
  const pattern = fc.oneof(
    typed('text', shortText),
    fc
      .array(fc.constantFrom('a', 'A', '%', '_', 'é', '😀', '\\%', '\\_', 'b'), { maxLength: 5 })
      .map((all) => quoted(all.join(''))),
  );
  const field = fc.constantFrom(
    'year',
    'month',
    'day',
    'hour',
    'minute',
    'second',
    'milliseconds',
    'microseconds',
    'epoch',
    'week',
    'quarter',
    'dow',
    'isodow',
    'doy',
    'decade',
    'century',
    'millennium',
    'isoyear',
  );
  const zone = fc.constantFrom(
    "'UTC'",
    "'utc'",
    "'Etc/UTC'",
    "'CET'",
    "interval '01:00'",
    "interval '-05:30:15.5'",
    "interval '1 day'",
  );
  const unit = fc
    .constantFrom(
      'year',
      'month',
      'day',
      'hour',
      'minute',
      'second',
      'milliseconds',
      'microseconds',
      'week',
      'quarter',
      'decade',
      'century',
      'millennium',
    )
    .map(quoted);
  return {
    bool: kind(
      [fc.constantFrom('b', 'true', 'false', 'NULL::bool')],
      [
        infix(bool, ['AND', 'OR', '=', '<', 'IS DISTINCT FROM'], bool),
        form`NOT ${bool}`,
        fc
          .tuple(
            bool,
            fc.constantFrom('TRUE', 'FALSE', 'UNKNOWN', 'NOT TRUE', 'NOT FALSE', 'NOT UNKNOWN', 'NULL', 'NOT NULL'),
          )
          .map(([a, is]) => `(${a} IS ${is})`),
        fc.tuple(tie('any'), fc.constantFrom('NULL', 'NOT NULL')).map(([a, is]) => `(${a} IS ${is})`),
        compared(number),
        compared(text),
        compared(int),
        compared(date, fc.oneof(date, stamp, stamptz)),
        compared(fc.oneof(stamp, stamptz), fc.oneof(date, stamp, stamptz)),
        compared(time),
        compared(interval),
        compared(tie('uuid')),
        compared(tie('bytea')),
        infix(text, ['LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE'], pattern),
        form`${text} LIKE ${pattern} ESCAPE ${fc.constantFrom("'a'", "''", "'\\'", "'%'")}`,
        infix(text, ['~', '!~', '~*', '!~*'], fc.constantFrom("'^a'", "'[0-9]+$'", "'é|b'", "'^\\s*$'")),
        form`${int} ${fc.constantFrom('=', '<>', '<')} ${fc.constantFrom('ANY', 'ALL')} (ARRAY[${int}, ${int}, NULL])`,
        form`${text} = ANY (ARRAY[${text}, 'a'])`,
        form`ARRAY[${int}, ${count}] ${fc.constantFrom('@>', '<@', '&&')} ARRAY[${int}, NULL]`,
        form`ARRAY[${text}, 'a'] ${fc.constantFrom('@>', '<@', '&&')} ${fc.constantFrom("'{a,A}'", "'{NULL}'", "'{}'", "'{b,a}'::text[]")}`,
        infix(
          tie('json'),
          ['@>', '<@'],
          fc.oneof(tie('json'), fc.constantFrom(`'{"a": 1}'`, "'[1, null]'", '\'"b"\'')),
        ),
        call('starts_with', text, text),
        cast(fc.oneof(cast(int, 'int4'), fc.constant('u'), fc.constant('c')), 'bool'),
        ...common(bool),
      ],
    ),
    int: kind(
      [
        fc.constantFrom('i2', 'i4', 'i8', 'i4'),
        int4s.map((v) => (v < 0 ? `(${v})` : String(v))),
        int8s.map((v) => `(${v})`),
      ],
      [
        infix(int, ['+', '-', '*', '/', '%'], int),
        infix(int, ['+', '-', '*'], int),
        form`- ${int}`,
        call('abs', int),
        call('mod', int, int),
        call('length', text),
        call('char_length', fc.constant('c')),
        call('octet_length', fc.oneof(text, tie('bytea'))),
        form`position(${text} IN ${text})`,
        call('strpos', text, text),
        infix(date, ['-'], date),
        cast(fc.oneof(number, fc.constant('u')), 'int2', 'int4', 'int8'),
        cast(bool, 'int'),
        ...common(int),
      ],
    ),
    numeric: kind(
      [
        fc.constantFrom('n', 'm'),
        decimals.map((v) => `(${v})`).filter((v) => /[.e]/.test(v)),
        typed('numeric', decimals),
      ],
      [
        infix(fc.oneof(numeric, int), ['+', '-', '*', '/', '%'], numeric),
        infix(numeric, ['/'], fc.oneof(numeric, int)),
        form`- ${numeric}`,
        call('round', numeric),
        call('round', numeric, count),
        call('trunc', numeric, count),
        call('trunc', numeric),
        fc
          .tuple(fc.constantFrom('abs', 'ceil', 'ceiling', 'floor', 'sign', 'trim_scale'), numeric)
          .map(([name, a]) => `${name}(${a})`),
        call('mod', numeric, fc.oneof(numeric, int)),
        call('div', numeric, numeric),
        cast(
          fc.oneof(number, fc.constant('u')),
          'numeric',
          'numeric(10,2)',
          'numeric(5)',
          'numeric(3,-2)',
          'numeric(2,5)',
        ),
        fc
          .tuple(field, fc.oneof(stamp, stamptz, interval, time, date))
          .map(([name, a]) => `extract(${name} FROM ${a})`),
        ...common(numeric, fc.oneof(numeric, int)),
      ],
    ),
    float: kind(
      [fc.constantFrom('f4', 'f8'), typed('float8', doubles.map(String)), typed('float4', singles.map(String))],
      [
        infix(float, ['+', '-', '*', '/'], fc.oneof(float, number)),
        form`- ${float}`,
        fc
          .tuple(fc.constantFrom('abs', 'ceil', 'floor', 'round', 'trunc', 'sign'), fc.oneof(float, int))
          .map(([name, a]) => `${name}(${a})`),
        cast(fc.oneof(number, fc.constant('u')), 'float4', 'float8'),
        ...common(float, number),
      ],
    ),
    text: kind(
      [fc.constantFrom('t', 'u', 'v', 'c'), shortText.map(quoted), typed('text', shortText)],
      [
        infix(text, ['||'], fc.oneof(text, tie('any'))),
        infix(tie('any'), ['||'], text),
        fc
          .tuple(fc.constantFrom('lower', 'upper', 'initcap', 'btrim', 'ltrim', 'rtrim', 'reverse', 'md5'), text)
          .map(([name, a]) => `${name}(${a})`),
        fc.tuple(fc.constantFrom('btrim', 'ltrim', 'rtrim'), text, text).map(([name, a, b]) => `${name}(${a}, ${b})`),
        fc
          .tuple(fc.constantFrom('left', 'right', 'repeat', 'substr', 'lpad', 'rpad'), text, count)
          .map(([name, a, b]) => `${name}(${a}, ${b})`),
        fc
          .tuple(fc.constantFrom('lpad', 'rpad'), text, count, text)
          .map(([name, a, b, c]) => `${name}(${a}, ${b}, ${c})`),
        form`substring(${text} FROM ${count} FOR ${count})`,
        form`substring(${text} FROM ${count})`,
        form`trim(${fc.constantFrom('both', 'leading', 'trailing')} ${text} FROM ${text})`,
        form`overlay(${text} PLACING ${text} FROM ${count} FOR ${count})`,
        call('replace', text, text, text),
        call(
          'regexp_replace',
          text,
          fc.constantFrom("'[aeiou]+'", "'\\s*$'", "'x*'", "'(a|b)c'"),
          fc.constantFrom("'-'", "'<\\&>'", "''"),
          fc.constantFrom("'g'", "''", "'gi'"),
        ),
        form`substring(${text} FROM ${fc.constantFrom("'[0-9]+'", "'^.'", "'(?:a|b)+'")})`,
        form`to_char(${fc.oneof(stamp, stamptz, date)}, ${fc.constantFrom("'YYYY-MM-DD'", "'FMMonth FMDD, YYYY BC'", "'HH24:MI:SS.US'", "'IYYY-IW-ID'")})`,
        call('translate', text, text, text),
        call('split_part', text, text, count),
        call('concat', tie('any'), tie('any'), text),
        call('concat_ws', text, tie('any'), tie('any')),
        cast(tie('any'), 'text', 'varchar', 'varchar(3)', 'char(4)', 'char'),
        call('encode', tie('bytea'), fc.constantFrom("'hex'", "'base64'")),
        infix(tie('json'), ['#>>'], fc.constantFrom("'{a}'", "'{a,0}'", "'{1}'", "'{b,a}'", '\'{" 1"}\'')),
        form`('[0:1][2:3]={{a,b},{c,NULL}}'::text[])[${count}][${count}]`,
        infix(tie('json'), ['->>'], fc.constantFrom("'a'", "'b'", '0', '1', '-1', "''", "'z'")),
        ...common(text),
      ],
    ),
    date: kind(
      [fc.constant('d'), typed('date', dates)],
      [
        infix(date, ['+', '-'], cast(int, 'int4')),
        infix(date, ['+', '-'], count),
        cast(fc.oneof(stamp, stamptz), 'date'),
        ...common(date),
      ],
    ),
    time: kind(
      [fc.constant('h'), typed('time', times)],
      [infix(time, ['+', '-'], interval), cast(stamp, 'time'), ...common(time)],
    ),
    timestamp: kind(
      [fc.constant('ts'), typed('timestamp', stamps)],
      [
        infix(fc.oneof(stamp, date), ['+', '-'], interval),
        infix(date, ['+'], time),
        call('date_trunc', unit, stamp),
        form`${stamptz} AT TIME ZONE ${zone}`,
        cast(fc.oneof(date, stamptz), 'timestamp'),
        ...common(stamp, fc.oneof(stamp, date)),
      ],
    ),
    timestamptz: kind(
      [fc.constant('tz'), typed('timestamptz', stamps)],
      [
        infix(stamptz, ['+', '-'], interval),
        call('date_trunc', unit, fc.oneof(stamptz, date)),
        form`${stamp} AT TIME ZONE ${zone}`,
        call('to_timestamp', fc.oneof(number, cast(number, 'float8'))),
        cast(fc.oneof(date, stamp), 'timestamptz'),
        ...common(stamptz, fc.oneof(stamp, date)),
      ],
    ),
    interval: kind(
      [fc.constant('iv'), typed('interval', intervals)],
      [
        infix(interval, ['+', '-'], interval),
        form`- ${interval}`,
        infix(fc.oneof(stamp, time), ['-'], fc.oneof(stamp, time)),
        call('date_trunc', unit, interval),
        cast(time, 'interval'),
        ...common(interval),
      ],
    ),
    uuid: kind(
      [fc.constant('id1'), typed('uuid', uuids)],
      [cast(cast(tie('uuid'), 'text'), 'uuid'), ...common(tie('uuid'))],
    ),
    bytea: kind(
      [fc.constant('y'), typed('bytea', byteas)],
      [
        infix(tie('bytea'), ['||'], tie('bytea')),
        call('sha256', tie('bytea')),
        call('convert_to', text, fc.constant("'UTF8'")),
        cast(cast(tie('bytea'), 'text'), 'bytea'),
        ...common(tie('bytea')),
      ],
    ),
    json: kind(
      [fc.constantFrom('j', 'jb'), typed('jsonb', json), typed('json', json)],
      [
        cast(cast(tie('json'), 'text'), 'json', 'jsonb'),
        infix(tie('json'), ['->'], fc.constantFrom("'a'", "'b'", '0', '1', '-1', "''")),
        infix(
          tie('json'),
          ['#>'],
          fc.constantFrom("'{a}'", "'{a,0}'", "'{-1}'", "'{b,a}'", "'{0,a}'::text[]", '\'{""}\''),
        ),
        form`(${tie('json')})[${fc.oneof(text, count)}]`,
      ],
    ),
    any: kind(
      [fc.constantFrom(...Object.keys(columnTypes))],
      [
        ...(
          [
            'bool',
            'int',
            'numeric',
            'float',
            'text',
            'date',
            'time',
            'timestamp',
            'timestamptz',
            'interval',
            'uuid',
            'bytea',
            'json',
          ] as const
        ).map((name) => tie(name)),
        // Mostly refused by both: what decides is that they agree.
        infix(
          tie('any'),
          ['+', '-', '*', '/', '%', '||', '=', '<', '>=', '<>', '->', '->>', 'LIKE'],
          fc.oneof(tie('any'), shortText.map(quoted), nil),
        ),
        fc
          .tuple(
            fc.constantFrom(
              'length',
              'lower',
              'round',
              'abs',
              'left',
              'mod',
              'md5',
              'sha256',
              'ceil',
              'sign',
              'concat',
              'starts_with',
              'coalesce',
              'greatest',
              'nullif',
            ),
            fc.array(fc.oneof(tie('any'), shortText.map(quoted), small.map(String)), { minLength: 1, maxLength: 3 }),
          )
          .map(([name, parts]) => `${name}(${parts.join(', ')})`),
        cast(tie('any'), ...new Set(Object.values(columnTypes).filter((type) => !type.startsWith('json')))),
        form`${tie('any')} IN (${tie('any')}, ${fc.oneof(shortText.map(quoted), small.map(String))}, ${small.map(String)})`,
      ],
    ),
  };
});
