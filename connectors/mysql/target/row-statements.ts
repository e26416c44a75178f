import { type Row, UNCHANGED } from '../../../src/core/cell.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { keyLiteral, keyValue } from '../key-literal.ts';
import { LongValues, type Statement } from '../long-value.ts';
import type { LiteralKind } from './column-kind.ts';
import type { BoundColumn } from './table-plan.ts';
import type { TargetColumn, TargetTable } from './target-table.ts';
import { markedLiteral, valueLiteral } from './value-literal.ts';
import { ValueRefusal } from './value-refusal.ts';

export interface RowStatementsOptions {
  readonly target: TargetTable;
  readonly columns: readonly BoundColumn[];
  /** Empty where only the whole row names it. */
  readonly key: readonly BoundColumn[];
  readonly vendor: 'mysql' | 'mariadb';
}

/** Rows of one statement as SQL, and how to put them together. */
export interface SetStatement {
  readonly head: string;
  /** Between the first row and the second one. */
  readonly behindFirst: string;
  readonly tail: string;
  firstRow(old: Row, after: Row, long: LongValues): string;
  /** Any other; a comma stands between two of them. */
  row(old: Row, after: Row, long: LongValues): string;
}

/**
 * The statements by which rows of one table are written.
 *
 * An UPDATE and a DELETE of many rows join the table with a list of rows that is read first, so that each row is found by the key's index, however many
 * there are: a long IN list makes the server scan the table once its optimizer runs out of memory. The list's columns have the types of their values, and
 * the key's are written so that comparing needs no conversion of the table's column: such a comparison would use no index, and 9007199254740993 would be
 * 9007199254740992 in a text's double.
 */
export class RowStatements {
  readonly insert: SetStatement;
  readonly delete: SetStatement;
  /** As `insert`, of those whose key is not there; another unique value that is taken is an error. Null of a table without a key. */
  readonly insertMissing: SetStatement | null;
  readonly #options: RowStatementsOptions;
  readonly #table: string;
  readonly #updates = new Map<string, SetStatement>();

  constructor(options: RowStatementsOptions) {
    const { target, columns, key } = options;
    this.#options = options;
    this.#table = quoteTable(target);
    const names = columns.map(({ column }) => quoteIdentifier(column.name)).join(', ');
    const values = (_: Row, after: Row, long: LongValues): string => `(${literals(columns, after, long)})`;
    this.insert = {
      head: `insert into ${this.#table} (${names}) values `,
      behindFirst: ',',
      tail: '',
      row: values,
      firstRow: values,
    };
    const found = this.#list(key, [], 'delete from t using ');
    this.insertMissing = key.length === 0 ? null : this.#insertMissing(names);
    this.delete = { ...found, tail: `${found.tail} straight_join ${this.#table} as t on ${this.#match()}` };
  }

  #insertMissing(names: string): SetStatement {
    const { columns, key } = this.#options;
    const values = columns.map((_, at) => `v.c${key.length + at}`).join(', ');
    const list = this.#list(key, columns, `insert into ${this.#table} (${names}) select ${values} from `);
    // The row is old and new: its key names it, its values are written.
    return {
      ...list,
      tail: `${list.tail} where not exists (select 1 from ${this.#table} as t where ${this.#match()})`,
      row: (_, after, long) => list.row(after, after, long),
      firstRow: (_, after, long) => list.firstRow(after, after, long),
    };
  }

  /** Replaces the values of rows; cells that are UNCHANGED in `after` are left out. */
  update(after: Row): SetStatement {
    const { columns, key } = this.#options;
    let mask = '';
    for (const { index } of columns) if (after[index] === UNCHANGED) mask += `${index} `;
    let statement = this.#updates.get(mask);
    if (statement === undefined) {
      const changed = columns.filter(({ index }) => after[index] !== UNCHANGED);
      const list = this.#list(key, changed, 'update ');
      const assignments = changed.map(({ column }, at) => `t.${quoteIdentifier(column.name)} = v.c${key.length + at}`);
      // A row without anything to be set still has to be there.
      if (assignments.length === 0) assignments.push(...key.map(({ column }) => same(column)));
      const tail = `${list.tail} straight_join ${this.#table} as t on ${this.#match()} set ${assignments.join(', ')}`;
      statement = { ...list, tail };
      this.#updates.set(mask, statement);
    }
    return statement;
  }

  /** A change of one row, by its key; of a table without one, of one of the rows that are the same. */
  updateOne(old: Row, after: Row): Statement {
    const { columns } = this.#options;
    const long = new LongValues();
    const set = columns
      .filter(({ index }) => after[index] !== UNCHANGED)
      .map(({ index, column }) => `${quoteIdentifier(column.name)} = ${cellLiteral(after[index], column, long)}`);
    return long.statement(`update ${this.#table} set ${set.join(', ')} where ${this.#named(old)}`);
  }

  deleteOne(old: Row): string {
    return `delete from ${this.#table} where ${this.#named(old)}`;
  }

  insertOne(after: Row): Statement {
    const { head } = this.insert;
    const long = new LongValues();
    return long.statement(head + this.insert.firstRow(after, after, long));
  }

  exists(row: Row): string {
    return `select 1 from ${this.#table} where ${this.keyCondition(row)} lock in share mode`;
  }

  /** Names the row by its key. */
  keyCondition(row: Row): string {
    return this.#options.key
      .map(({ index, column }) => `${quoteIdentifier(column.name)} = ${keyLiteral(row[index], column)}`)
      .join(' and ');
  }

  #named(row: Row): string {
    const { key, columns, vendor } = this.#options;
    if (key.length > 0) return this.keyCondition(row);
    // MariaDB shows no sign of a zero.
    const signed = vendor === 'mysql';
    // Of several that are the same one is changed.
    return `${columns.map(({ index, column }) => (signed ? signOfZero(column, row[index]) : null) ?? sameValue(column, row, index)).join(' and ')} limit 1`;
  }

  #match(): string {
    return this.#options.key
      .map(({ column }, at) => `t.${quoteIdentifier(column.name)} = ${keyValue(column, `v.c${at}`)}`)
      .join(' and ');
  }

  /** `v` with the columns c0, c1, ... : the key of the old row, and values of the new one. */
  #list(key: readonly BoundColumn[], values: readonly BoundColumn[], verb: string): SetStatement {
    const cells = (old: Row, after: Row, long: LongValues): string => {
      const named = key.map(({ index, column }) => keyLiteral(old[index], column)).join(',');
      return values.length === 0 ? named : `${named},${literals(values, after, long)}`;
    };
    const names = [...key, ...values].map((_, at) => `c${at}`);
    if (this.#options.vendor === 'mysql') {
      const row = (old: Row, after: Row, long: LongValues): string => `row(${cells(old, after, long)})`;
      return {
        head: `${verb}(values `,
        behindFirst: ',',
        tail: `) as v (${names.join(', ')})`,
        row,
        firstRow: row,
      };
    }
    // MariaDB names the columns of a list after its first row, and takes no other names for it.
    return {
      head: `${verb}(`,
      behindFirst: ' union all values ',
      tail: ') as v',
      row: (old, after, long) => `(${cells(old, after, long)})`,
      firstRow: (old, after, long) => {
        const named = key.map(({ index, column }, at) => `${keyLiteral(old[index], column)} as c${at}`);
        const given = values.map(
          ({ index, column }, at) => `${cellLiteral(after[index], column, long)} as c${key.length + at}`,
        );
        return `select ${[...named, ...given].join(', ')}`;
      },
    };
  }
}

function same({ name }: TargetColumn): string {
  const column = `t.${quoteIdentifier(name)}`;
  return `${column} = ${column}`;
}

/** Throws (ValueRefusal) for what the server would store as something else. */
function cellLiteral(
  cell: Row[number] | undefined,
  { name, kind, insteadOfNull, altered }: TargetColumn,
  long: LongValues,
): string {
  if (cell === null && insteadOfNull !== null)
    throw new ValueRefusal(name, `the target would store ${insteadOfNull} in place of NULL`);
  if (altered !== null && typeof cell === 'string') {
    const why = altered(cell);
    if (why !== null) throw new ValueRefusal(name, why);
  }
  return markedLiteral(cell, kind, long);
}

function literals(columns: readonly BoundColumn[], row: Row, long: LongValues): string {
  let text = '';
  for (const { index, column } of columns) {
    if (text !== '') text += ',';
    text += cellLiteral(row[index], column, long);
  }
  return text;
}

/** Byte by byte: by the column's own collation two different texts may be equal. */
function sameValue({ name, kind, type }: TargetColumn, row: Row, index: number): string {
  const column = quoteIdentifier(name);
  const cell = row[index];
  if (cell === null) return `${column} is null`;
  const value = valueLiteral(cell, kind);
  if (type.base === 'float') return `${column} = cast(${value} as float)`;
  // As documents 1 and 1.0 are equal. A text that would be too long comes empty.
  if (type.base === 'json')
    return `cast(nullif(cast(${column} as char), '') as binary) = cast(cast(cast(${value} as json) as char) as binary)`;
  if (type.collation === null) return `${column} = ${keyLiteral(cell, { kind, type })}`;
  return `cast(convert(${column} using utf8mb4) as binary) = cast(${asUtf8(value, kind)} as binary)`;
}

/** Of floats: 0 and -0 are equal, and two values. Beside `=` the server would put the constant in the column's place, and not look at its sign. */
function signOfZero({ name, type }: TargetColumn, cell: Row[number] | undefined): string | null {
  if ((type.base !== 'float' && type.base !== 'double') || typeof cell !== 'string' || Number(cell) !== 0) return null;
  return `cast(${quoteIdentifier(name)} * 1e0 as char) = '${cell.startsWith('-') ? '-0' : '0'}'`;
}

function asUtf8(value: string, kind: LiteralKind): string {
  return kind === 'text' ? `convert(${value} using utf8mb4)` : value;
}
