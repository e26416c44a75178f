import type pg from 'pg';
import type { TableName } from '../../../src/core/table.ts';
import type {
  ColumnSchema,
  DatabaseSchema,
  ForeignKeySchema,
  IndexSchema,
  LeftOut,
  PartitionSchema,
  SequenceSchema,
  SqlText,
  TableSchema,
  TypeSchema,
} from '../../../src/core/table-schema.ts';
import { sqlPieces } from './sql-pieces.ts';
import {
  type CheckRow,
  type ColumnRow,
  type ForeignKeyRow,
  type IndexRow,
  type TableRow,
  tablesQuery,
} from './tables-query.ts';
import { domainSequencesQuery, leftQuery, sequencesQuery, typesQuery } from './types-query.ts';

type Sequences = ReadonlyMap<string, SequenceSchema>;

/** What the database has of these tables; those that are not there are missing. Reads only. */
export async function readSchema(client: pg.Client, names: readonly TableName[]): Promise<DatabaseSchema> {
  const { rows } = await client.query<TableRow>(tablesQuery, [
    names.map(({ schema }) => schema),
    names.map(({ name }) => name),
  ]);
  const roots = rows.filter(({ level }) => level === 0);
  const oids = roots.map(({ root }) => root);
  const columns = roots.flatMap((row) => row.columns);
  const { rows: types } = await client.query<TypeSchema>(typesQuery, [oids]);
  const ofDomains = await domainSequences(client, types);
  const wanted = [
    ...columns.flatMap(({ named, ownSequence }) => [...named, ...(ownSequence === null ? [] : [ownSequence])]),
    ...ofDomains,
  ];
  const kept = new Set([
    ...columns.flatMap(({ nextOf, named }) => named.filter((oid) => oid !== nextOf)),
    ...ofDomains,
  ]);
  const sequences = await readSequenceSchemas(client, wanted, kept);
  const identities = new Set(columns.map(({ ownSequence }) => ownSequence));
  const { rows: left } = await client.query<Omit<LeftOut, 'isNeeded'> & { needed: boolean }>(leftQuery, [oids]);
  const partitions = Map.groupBy(
    rows.filter(({ level }) => level > 0),
    ({ root }) => root,
  );
  return {
    tables: await Promise.all(roots.map((row) => tableOf(row, partitions.get(row.root) ?? [], sequences))),
    types: types.map(({ kind, schema, name, statement }) => ({ kind, schema, name, statement })),
    sequences: [...sequences].flatMap(([oid, sequence]) => (identities.has(oid) ? [] : [sequence])),
    left: [
      ...left.map(({ kind, name, text, needed }) => ({ kind, name, text, isNeeded: needed })),
      ...rows.flatMap(leftOfTable),
    ],
  };
}

function leftOfTable({ kind, persistence, schema, name }: TableRow): readonly LeftOut[] {
  const label = `${schema}.${name}`;
  if (kind === 'f') return [{ kind: 'foreign partition', name: label, isNeeded: false, text: null }];
  return persistence === 'u' ? [{ kind: 'UNLOGGED of', name: label, isNeeded: false, text: null }] : [];
}

async function domainSequences(client: pg.Client, types: readonly TypeSchema[]): Promise<readonly string[]> {
  const domains = types.filter(({ kind }) => kind === 'domain');
  if (domains.length === 0) return [];
  const { rows } = await client.query<{ oid: string }>(domainSequencesQuery, [
    domains.map(({ schema }) => schema),
    domains.map(({ name }) => name),
  ]);
  return rows.map(({ oid }) => oid);
}

async function readSequenceSchemas(
  client: pg.Client,
  oids: readonly string[],
  kept: ReadonlySet<string>,
): Promise<Sequences> {
  const { rows } = await client.query(sequencesQuery, [oids]);
  return new Map(
    rows.map(({ oid, tableSchema, tableName, columnName, ...rest }) => [
      String(oid),
      {
        ...(rest as Omit<SequenceSchema, 'ownedBy' | 'keepsName'>),
        keepsName: kept.has(String(oid)),
        ownedBy: tableName === null ? null : { table: { schema: tableSchema, name: tableName }, column: columnName },
      },
    ]),
  );
}

async function tableOf(row: TableRow, partitions: readonly TableRow[], sequences: Sequences): Promise<TableSchema> {
  const { schema, name, inherits, columns } = row;
  return {
    schema,
    name,
    columns: await Promise.all(columns.map((column) => columnOf(column, sequences))),
    ...(await partsOf(row)),
    inherits,
    partitions: await Promise.all(partitions.filter(({ kind }) => kind !== 'f').map(partitionOf)),
  };
}

async function partitionOf(row: TableRow): Promise<PartitionSchema> {
  const { schema, name, parentSchema, parentName, bound } = row;
  return {
    schema,
    name,
    parent: { schema: parentSchema ?? '', name: parentName ?? '' },
    bound: bound ?? 'DEFAULT',
    ...(await partsOf(row)),
  };
}

async function partsOf({ indexes, checks, foreignKeys, partitionKey, options, comment }: TableRow) {
  return {
    indexes: await Promise.all(indexes.map(indexOf)),
    checks: await Promise.all(checks.map(checkOf)),
    foreignKeys: foreignKeys.map(foreignKeyOf),
    partitionedBy: partitionKey === null ? null : await sqlPieces(partitionKey, 'partitionKey'),
    options,
    comment,
  };
}

async function columnOf(row: ColumnRow, sequences: Sequences): Promise<ColumnSchema> {
  const { name, type, modifier, typeText, notNull, collation, comment } = row;
  const value = row.value === null ? null : await sqlPieces(row.value, 'expression');
  const next = row.nextOf === null ? undefined : sequences.get(row.nextOf);
  const own = row.ownSequence === null ? undefined : sequences.get(row.ownSequence);
  return {
    name,
    type,
    modifier,
    typeText,
    notNull,
    collation,
    comment,
    default: row.generated === '' && next === undefined ? value : null,
    nextOf: next === undefined ? null : { schema: next.schema, name: next.name },
    generated: row.generated === '' || value === null ? null : { value, stored: row.generated === 's' },
    options: [],
    identity: own === undefined ? null : { always: row.identity === 'a', sequence: own },
  };
}

const kinds: Readonly<Record<string, IndexSchema['constraint']>> = { p: 'primary', u: 'unique', x: 'exclude' };

async function indexOf(row: IndexRow): Promise<IndexSchema> {
  const { name, unique, method, include, nullsNotDistinct, withoutOverlaps, options, deferrable, valid, comment } = row;
  return {
    name,
    constraint: kinds[row.contype ?? ''] ?? null,
    unique,
    method,
    include,
    nullsNotDistinct,
    withoutOverlaps,
    options,
    deferrable,
    valid,
    comment,
    isIdentity: row.identity,
    where: row.where === null ? null : await sqlPieces(row.where, 'expression'),
    elements: await Promise.all(
      row.elements.map(async ({ column, value, collation, operatorClass, operatorOptions, order, operator }) => ({
        value: column === null ? await sqlPieces(value, 'expression') : [{ column }],
        isColumn: column !== null,
        length: null,
        collation,
        operatorClass:
          operatorClass === null || operatorOptions.length === 0
            ? operatorClass
            : `${operatorClass}(${operatorOptions.join(', ')})`,
        order,
        operator,
      })),
    ),
  };
}

async function checkOf({ name, condition, suffix, comment }: CheckRow) {
  return { name, condition: (await sqlPieces(condition, 'expression')) as SqlText, suffix, comment };
}

const actions: Readonly<Record<string, string>> = { r: 'RESTRICT', c: 'CASCADE', n: 'SET NULL', d: 'SET DEFAULT' };

function foreignKeyOf(row: ForeignKeyRow): ForeignKeySchema {
  const { match, onUpdate, onDelete, ...rest } = row;
  const on = (event: string, action: string): string =>
    actions[action] === undefined ? '' : ` ON ${event} ${actions[action]}`;
  return {
    ...rest,
    actions: `${match === 'f' ? ' MATCH FULL' : ''}${on('UPDATE', onUpdate)}${on('DELETE', onDelete)}`,
  };
}
