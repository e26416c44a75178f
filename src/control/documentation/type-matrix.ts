import type { NodeType } from '../../core/route.ts';
import type { TypeDefinition } from '../../core/table.ts';
import { carry } from '../../core/types/carry.ts';
import type { Conversions } from '../../core/types/conversions.ts';
import { conditions } from '../../core/types/value-refused.ts';
import type { ColumnCodec } from '../../core/types/vendor-types.ts';
import { connectorFor } from '../../registry.ts';

interface Typed {
  /** As it is declared. */
  readonly name: string;
  readonly type: string;
  readonly modifier: number;
  readonly definition?: TypeDefinition;
}

const postgres = (name: string, type = name, modifier = -1): Typed => ({ name, type: `pg_catalog.${type}`, modifier });
const mysql = (type: string, name = type): Typed => ({ name, type, modifier: -1 });
const precise = (precision: number, scale: number): number => ((precision << 16) | scale) + 4;

const ofPostgres: readonly Typed[] = [
  postgres('boolean', 'bool'),
  ...[postgres('smallint', 'int2'), postgres('integer', 'int4'), postgres('bigint', 'int8'), postgres('oid')],
  ...[postgres('numeric'), postgres('numeric(10,2)', 'numeric', precise(10, 2)), postgres('money')],
  ...[postgres('real', 'float4'), postgres('double precision', 'float8')],
  ...[postgres('text'), postgres('varchar(40)', 'varchar', 44), postgres('char(40)', 'bpchar', 44)],
  ...[postgres('bytea'), postgres('bit(8)', 'bit', 8), postgres('bit varying', 'varbit')],
  ...[postgres('date'), postgres('time'), postgres('timestamp'), postgres('timestamptz'), postgres('interval')],
  ...[
    postgres('uuid'),
    postgres('json'),
    postgres('jsonb'),
    postgres('integer[]', '_int4'),
    postgres('text[]', '_text'),
  ],
  ...[postgres('inet'), postgres('xml'), postgres('tsvector'), postgres('int4range'), postgres('point')],
  {
    ...{ name: 'enum', type: 'public.mood', modifier: -1 },
    definition: { kind: 'enum', name: 'public.mood', labels: ['a', 'b', 'c'] },
  },
];

const collated = (type: string): Typed => mysql(`${type} collate utf8mb4_0900_ai_ci`, type);

const ofMysql: readonly Typed[] = [
  ...[mysql('tinyint'), mysql('tinyint unsigned'), mysql('smallint'), mysql('smallint unsigned')],
  ...[mysql('mediumint'), mysql('int'), mysql('int unsigned'), mysql('bigint'), mysql('bigint unsigned')],
  ...[
    mysql('decimal(10,2)'),
    mysql('decimal(65,30)'),
    mysql('float'),
    mysql('double'),
    mysql('double(10,2)'),
    mysql('year'),
  ],
  ...[collated('char(40)'), collated('varchar(40)'), collated('text'), collated('longtext')],
  mysql('varchar(40) collate latin1_swedish_ci', 'varchar(40) of latin1'),
  ...[mysql('binary(16)'), mysql('varbinary(40)'), mysql('blob'), mysql('longblob'), mysql('bit(1)'), mysql('bit(8)')],
  ...[mysql('date'), mysql('time'), mysql('time(6)'), mysql('datetime'), mysql('datetime(6)'), mysql('timestamp(6)')],
  mysql("enum('a','b') collate utf8mb4_0900_ai_ci", 'enum'),
  mysql("set('a','b') collate utf8mb4_0900_ai_ci", 'set'),
  ...[mysql('json', 'json of MySQL'), mysql('geometry'), mysql('vector(3)'), mysql('uuid', 'uuid of MariaDB')],
  mysql('inet6', 'inet6 of MariaDB'),
];

/** All that a route can name, for types that are carried with one of them only. */
const everything: Conversions = { json: 'normalize', zone: 'UTC' };

interface Way {
  readonly title: string;
  readonly from: NodeType;
  readonly to: NodeType;
  readonly sources: readonly Typed[];
  readonly targets: readonly Typed[];
}

const ways: readonly Way[] = [
  {
    title: 'From PostgreSQL to MySQL and MariaDB',
    from: 'postgres',
    to: 'mysql',
    sources: ofPostgres,
    targets: ofMysql,
  },
  {
    title: 'From MySQL and MariaDB to PostgreSQL',
    from: 'mysql',
    to: 'postgres',
    sources: ofMysql,
    targets: ofPostgres,
  },
];

/** Each type of the one vendor beside each of the other, as the page has them. */
export function typePairs(): readonly {
  readonly from: NodeType;
  readonly had: ColumnCodec;
  readonly has: ColumnCodec;
  readonly title: string;
}[] {
  return ways.flatMap(({ from, to, sources, targets }) =>
    sources.flatMap((source) =>
      targets.map((target) => ({
        from,
        had: connectorFor(from).values.codec(source),
        has: connectorFor(to).values.codec(target),
        title: `${source.name} to ${target.name}`,
      })),
    ),
  );
}

/** Markdown: of each type what it becomes exactly, what is checked of each value, and what a route has to name. */
export function typeMatrix(): string {
  const lines = ['| what is checked of a value | when it halts the route |', '| --- | --- |'];
  for (const [name, text] of Object.entries(conditions)) lines.push(`| ${name} | ${text} |`);
  for (const way of ways) {
    lines.push('', `#### ${way.title}`, '');
    lines.push('| type | exactly into | into, each value checked | only with `convert` |', '| --- | --- | --- | --- |');
    for (const source of way.sources) lines.push(row(way, source));
  }
  return `${lines.join('\n')}\n`;
}

function row({ from, to, targets }: Way, source: Typed): string {
  const had = connectorFor(from).values.codec(source).type;
  const [exact, checked, named]: [string[], string[], string[]] = [[], [], []];
  for (const target of targets) {
    const has = connectorFor(to).values.codec(target).type;
    const carrying = carry(had, has);
    if (carrying.kind === 'carried' && carrying.conditions.length === 0) exact.push(target.name);
    else if (carrying.kind === 'carried')
      checked.push(`${target.name} (${[...new Set(carrying.conditions)].join(', ')})`);
    else if (carry(had, has, everything).kind === 'carried') named.push(target.name);
  }
  const cell = (names: readonly string[]): string => names.map((name) => name.replaceAll('|', '\\|')).join('; ') || '–';
  return `| ${source.name} | ${cell(exact)} | ${cell(checked)} | ${cell(named)} |`;
}

const begin = '<!-- made by `npm run docs`: begin -->';
const end = '<!-- made by `npm run docs`: end -->';

/** The page with the matrix as it is now, between its two marks. */
export function withTypeMatrix(page: string): string {
  const [before = ''] = page.split(begin);
  const behind = page.slice(page.indexOf(end) + end.length);
  return `${before}${begin}\n\n${typeMatrix()}\n${end}${behind}`;
}
