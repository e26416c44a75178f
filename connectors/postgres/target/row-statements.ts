import { type Row, UNCHANGED } from '../../../src/core/cell.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { elementForm } from './array-literal.ts';
import { type ReplacedRow, replaceKept } from './kept-rows.ts';
import { columnList, parameterSource, type SetColumn, type Statement, unnestSource } from './statement.ts';
import type { TargetColumn, TargetTable } from './target-table.ts';
import { numericModifier } from './type-fit.ts';

export interface BoundColumn {
  readonly index: number;
  readonly column: TargetColumn;
}

export interface RowStatementsOptions {
  readonly target: TargetTable;
  /** Quoted, with ONLY where the table may have inheritance children. */
  readonly relation: string;
  readonly columns: readonly BoundColumn[];
  /** Empty where only the whole row names it. */
  readonly key: readonly BoundColumn[];
  /** Equality operator of each column of the key. */
  readonly keyEquals: readonly string[];
  /** Rows that the source deletes stay: an insert replaces the one of its key, where it has this mark. Null where deletes delete. */
  readonly kept: Pick<ReplacedRow, 'mark'> | null;
  /** An update or delete finds only rows that have all values of the old image, which is whole. */
  readonly checksOldValues: boolean;
  /** Two rows may have one key until the transaction ends: with `checksOldValues` exactly one row of the old image is found. */
  readonly isKeyShared?: boolean;
}

/** A set of arrays is a SELECT of as many columns, of which there may be 1664. */
const mostSetColumns = 1_600;

let statementNumber = 0;
const nextName = (kind: string): string => `tl_${kind}_${++statementNumber}`;

/** The statements by which rows of one target table are written. Each has one text for ever, so that it is planned once. */
export class RowStatements {
  /** True where update and delete take one row each: no set of arrays can hold what they need. */
  readonly isSingle: boolean;
  /** True where insert takes one row each. */
  readonly insertsOne: boolean;
  readonly insert: Statement;
  /** Of one row, by parameters of its own instead of arrays. */
  readonly insertOne: Statement;
  /** As `insertOne`, over any row of the key; null where deletes delete. */
  readonly insertOver: Statement | null;
  readonly delete: Statement;
  /** Finds the row of an old image where it has all values of that; null where no update or delete asks for more than its key. */
  readonly same: Statement | null;
  /** As `same`, of a row of `takeOut`, whose cells come behind its parameters. */
  readonly sameAside: Statement | null;
  /** Reads all columns of one row by its key and deletes it. */
  readonly takeOut: string;
  /** Inserts a row of `takeOut`, or of `replace`, again. */
  readonly putBack: string;
  readonly #options: RowStatementsOptions;
  readonly #updates = new Map<string, Statement>();
  #whole: Statement | null = null;
  readonly #replaces = new Map<string, Statement>();

  constructor(options: RowStatementsOptions) {
    const { target, relation, columns, key } = options;
    this.#options = options;
    const isTextless = columns.some(({ column }) => !column.unnestable && column.hasTextCast);
    // Without a key the whole old row is needed beside the new one: more columns than a set may have (1664).
    const images = options.checksOldValues ? 2 * columns.length : 0;
    this.isSingle = key.length === 0 || options.isKeyShared === true || isTextless || images > mostSetColumns;
    this.insertsOne = isTextless || columns.length === 0;
    this.insertOne = insertStatement(options, true);
    this.insertOver = options.kept === null ? null : insertStatement({ ...options, kept: { mark: null } }, true);
    this.insert = isTextless ? this.insertOne : insertStatement(options, false);
    this.delete = this.#delete();
    const asksForMore = options.checksOldValues && key.length > 0;
    const kept = target.columns.filter((column) => !column.generated);
    this.same = asksForMore ? this.#same('same', () => relation) : null;
    this.sameAside = asksForMore ? this.#same('aside', (given) => rowOfCells(kept, given)) : null;
    const names = kept.map(({ name }) => quoteIdentifier(name)).join(', ');
    const keyMatch = this.#keyMatch((at) => `$${at + 1}::${key[at]?.column.typeSql}`, '');
    this.takeOut = key.length === 0 ? '' : `delete from ${relation} where ${keyMatch} returning ${names}`;
    const values = kept.map(({ typeSql }, at) => `$${at + 1}::${typeSql}`).join(', ');
    this.putBack = `insert into ${quoteTable(target)} (${names}) overriding system value values (${values})`;
  }

  /** Replaces the values of rows; cells that are UNCHANGED in `after` are left out. Null: none is. */
  update(after: Row | null): Statement {
    if (after !== null) return this.#byMask(this.#updates, after, (changed) => this.#update(changed));
    // Not looked for by a text of its own: most updates are of this kind.
    this.#whole ??= this.#byMask(this.#updates, [], (changed) => this.#update(changed));
    return this.#whole;
  }

  /**
   * Deletes one row and inserts it with its new values: for a change of an identity column that is GENERATED ALWAYS, which
   * the source may set to its DEFAULT and nobody may set to a value. Null where the table has none.
   */
  replace(after: Row): Statement | null {
    if (!this.#options.columns.some(({ column }) => column.identity === 'a')) return null;
    return this.#byMask(this.#replaces, after, (changed) => this.#replace(changed));
  }

  #byMask(known: Map<string, Statement>, after: Row, make: (changed: readonly BoundColumn[]) => Statement): Statement {
    const { columns } = this.#options;
    let mask = '';
    for (const { index } of columns) if (after[index] === UNCHANGED) mask += `${index} `;
    let statement = known.get(mask);
    if (statement === undefined) {
      statement = make(columns.filter(({ index }) => after[index] !== UNCHANGED));
      known.set(mask, statement);
    }
    return statement;
  }

  #update(changed: readonly BoundColumn[]): Statement {
    const { relation } = this.#options;
    const list = this.#named();
    // An identity column that is GENERATED ALWAYS can't be assigned: its value must be there already, or the row counts
    // as not found and is replaced.
    const values = ofImage(
      'new',
      changed.filter(({ column }) => column.identity !== 'a'),
    );
    const given = ofImage(
      'new',
      changed.filter(({ column }) => column.identity === 'a'),
    );
    const source = this.#source([...list, ...values, ...given]);
    const row = this.#locate(source.value);
    const isGiven = given.map(
      ({ column }, at) => `t.${quoteIdentifier(column.name)} = ${source.value(list.length + values.length + at)}`,
    );
    const assignments = values.map(
      ({ column }, at) => `${quoteIdentifier(column.name)} = ${source.value(list.length + at)}`,
    );
    const where = [...row.where, ...isGiven].join(' and ');
    // A row whose every cell is unchanged still has to be found, or a missing one would go unnoticed.
    if (assignments.length === 0) assignments.push(...this.#unchanged());
    // No column can be assigned: only a row that has its values is found, and any other is replaced.
    if (assignments.length === 0) {
      const text = `select${from([`${relation} as t`, source.from, row.from])} where ${where} for update of t`;
      return { name: nextName('update'), text, parameters: source.parameters, isRead: true };
    }
    return {
      name: nextName('update'),
      text: `update ${relation} as t set ${assignments.join(', ')}${from([source.from, row.from])} where ${where}`,
      parameters: source.parameters,
    };
  }

  #unchanged(): string[] {
    const column = this.#options.target.columns.find((c) => !c.generated && c.identity !== 'a');
    return column === undefined ? [] : [`${quoteIdentifier(column.name)} = t.${quoteIdentifier(column.name)}`];
  }

  #delete(): Statement {
    const source = this.#source(this.#named());
    const row = this.#locate(source.value);
    const using = [source.from, row.from].filter(Boolean).join(' cross join ');
    return {
      name: nextName('delete'),
      text: `delete from ${this.#options.relation} as t${using && ` using ${using}`} where ${row.where.join(' and ')}`,
      parameters: source.parameters,
    };
  }

  #replace(changed: readonly BoundColumn[]): Statement {
    const { target, relation } = this.#options;
    const list = this.#named();
    const source = parameterSource([...list, ...ofImage('new', changed)]);
    const row = this.#locate(source.value);
    const kept = target.columns.filter((column) => !column.generated);
    const values = kept.map((column) => {
      const at = changed.findIndex((c) => c.column === column);
      return at < 0 ? `gone.${quoteIdentifier(column.name)}` : source.value(list.length + at);
    });
    const using = row.from && ` using ${row.from}`;
    return {
      name: nextName('replace'),
      text: `with gone as (delete from ${relation} as t${using} where ${row.where.join(' and ')} returning t.*)
        insert into ${quoteTable(target)} (${kept.map(({ name }) => quoteIdentifier(name)).join(', ')}) overriding system value
        select ${values.join(', ')} from gone`,
      parameters: source.parameters,
    };
  }

  /** `rows` are given how many parameters there are before theirs. */
  #same(kind: string, rows: (given: number) => string): Statement {
    const named = this.#named();
    const source = parameterSource(named);
    return {
      name: nextName(kind),
      text: `select from ${rows(named.length)} as t where ${this.#isNamed(source.value, 't.').join(' and ')}`,
      parameters: source.parameters,
    };
  }

  /** The columns that name a row, and those whose old values are looked at. */
  #named(): SetColumn[] {
    const { key, columns } = this.#options;
    return ofImage('old', key.length > 0 ? [...key, ...this.#checked()] : columns);
  }

  #checked(): readonly BoundColumn[] {
    const { key, columns, checksOldValues } = this.#options;
    return checksOldValues ? columns.filter(({ index }) => !key.some((other) => other.index === index)) : [];
  }

  #source(columns: readonly SetColumn[]): ReturnType<typeof unnestSource> {
    return this.isSingle ? parameterSource(columns) : unnestSource(columns);
  }

  #keyMatch(value: (at: number) => string, alias: string): string {
    const { key, keyEquals } = this.#options;
    return key
      .map(
        ({ column }, at) => `${alias}${quoteIdentifier(column.name)} ${keyEquals[at]} ${collated(column, value(at))}`,
      )
      .join(' and ');
  }

  /** Of a table with a key. */
  #isNamed(value: (at: number) => string, alias: string): string[] {
    const { length } = this.#options.key;
    const checked = this.#checked().map(({ column }, at) =>
      sameText(column, `${alias}${quoteIdentifier(column.name)}`, value(length + at)),
    );
    return [this.#keyMatch(value, alias), ...checked];
  }

  #locate(value: (at: number) => string): { from: string; where: string[] } {
    const { key, columns, relation, isKeyShared } = this.#options;
    if (key.length > 0 && !isKeyShared) return { from: '', where: this.#isNamed(value, 't.') };
    // Exactly one of the identical rows is meant.
    const same =
      key.length > 0
        ? this.#isNamed(value, 's.')
        : columns.map(({ column }, at) => sameText(column, `s.${quoteIdentifier(column.name)}`, value(at)));
    const where = same.length > 0 ? ` where ${same.join(' and ')}` : '';
    return {
      from: `(select s.tableoid, s.ctid from ${relation} as s${where} limit 1) as h`,
      where: ['t.tableoid = h.tableoid', 't.ctid = h.ctid'],
    };
  }
}

/** As it would be in the table. */
function rowOfCells(columns: readonly TargetColumn[], given: number): string {
  const cells = columns.map(({ name, typeSql }, at) => `$${given + at + 1}::${typeSql} as ${quoteIdentifier(name)}`);
  return `(select ${cells.join(', ')})`;
}

function insertStatement({ target, columns, key, kept }: RowStatementsOptions, isOne: boolean): Statement {
  const list = ofImage('new', columns);
  const source = isOne ? parameterSource(list) : unnestSource(list);
  const into = `insert into ${quoteTable(target)}${kept === null ? '' : ' as t'}`;
  return {
    name: nextName('insert'),
    text:
      list.length === 0
        ? `${into} default values`
        : `${into} (${columnList(list)}) overriding system value select ${list.map((_, at) => source.value(at)).join(', ')}${from([source.from])}${kept === null ? '' : replaceKept({ key, columns, ...kept })}`,
    parameters: source.parameters,
  };
}

/** A domain may have another collation than the column that is made of it: the column's is the one that counts. */
export function collated(column: TargetColumn, value: string): string {
  return column.collation === null ? value : `${value} collate ${column.collation}`;
}

function from(sources: readonly string[]): string {
  const list = sources.filter(Boolean);
  return list.length > 0 ? ` from ${list.join(' cross join ')}` : '';
}

function ofImage(image: 'old' | 'new', list: readonly BoundColumn[]): SetColumn[] {
  return list.map((c) => ({ ...c, image, form: c.column.unnestable ? elementForm(c.column.baseType) : 'quoted' }));
}

/**
 * Text is compared since json and others have no equality, byte by byte: by the column's own collation two different
 * texts may be equal. A cast to text that a user has made may give two values one text; inside of a row it is the output
 * function that writes them.
 */
export function sameText(column: TargetColumn, left: string, right: string): string {
  const text = (value: string): string =>
    `${column.hasTextCast ? `row(${value})` : `(${value})`}::pg_catalog.text collate pg_catalog."C"`;
  return `${text(left)} is not distinct from ${text(asStored(column, right))}`;
}

/** A column of a larger scale shows more zeros. */
function asStored({ type, modifier }: TargetColumn, value: string): string {
  if (type !== 'pg_catalog.numeric' || modifier === -1) return value;
  const { precision, scale } = numericModifier(modifier);
  return `${value}::pg_catalog.numeric(${precision},${scale})`;
}
