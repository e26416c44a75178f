import type { Cell } from '../../../src/core/cell.ts';
import { type PackedRow, readUInt16 } from '../../../src/core/packed-row.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { ElementForm } from './array-literal.ts';
import { ArrayWriter } from './array-writer.ts';
import { TextBytes, type Value } from './message-writer.ts';
import { type CellSink, cellsOf, giveCells, isPacked, type RowImage } from './row-image.ts';
import type { TargetColumn } from './target-table.ts';

/** A statement whose text never changes, so that the server plans it once. */
export interface Statement {
  /** Name of the prepared statement, unique in a connection. */
  readonly name: string;
  readonly text: string;
  /** What each parameter is read from. */
  readonly parameters: readonly StatementParameter[];
  /** It finds rows and changes none. */
  readonly isRead?: true;
}

export interface StatementParameter {
  /** `old`: the row image that names the row; `new`: the one that becomes its values. */
  readonly image: 'old' | 'new';
  /** Index in the mapped table's columns. */
  readonly index: number;
  /** `single`: the value itself; else an array of the values of all rows. */
  readonly form: ElementForm | 'single';
}

/** One column of the set that a statement works on. */
export interface SetColumn {
  readonly image: 'old' | 'new';
  readonly index: number;
  readonly column: TargetColumn;
  readonly form: ElementForm;
}

/**
 * `(select unnest($1::a[]) as c0, unnest($2::b[]) as c1) as u`: rows as one array a column. In the target list they are
 * made as they are used; `unnest` of several arrays in FROM writes every row to a tuple store first. Casts name types
 * without modifiers, since an explicit cast to varchar(n) or numeric(p,s) would cut or round where the assignment that
 * follows reports an error or has been proven to fit. unnest flattens arrays of arrays, so these travel as text.
 */
export function unnestSource(columns: readonly SetColumn[]): {
  from: string;
  value: (at: number) => string;
  parameters: StatementParameter[];
} {
  const casts = columns.map((c, at) => `$${at + 1}::${c.column.unnestable ? c.column.typeSql : 'pg_catalog.text'}[]`);
  return {
    from: `(select ${casts.map((cast, at) => `unnest(${cast}) as c${at}`).join(', ')}) as u`,
    value: (at) => {
      const column = columns[at]?.column;
      return column === undefined || column.unnestable ? `u.c${at}` : `u.c${at}::${column.typeSql}`;
    },
    parameters: columns.map(({ image, index, form }) => ({ image, index, form })),
  };
}

/** The parameters themselves, for statements that take one row: no array, and no cast but to the type itself. */
export function parameterSource(columns: readonly SetColumn[]): ReturnType<typeof unnestSource> {
  return {
    from: '',
    value: (at) => `$${at + 1}::${columns[at]?.column.typeSql}`,
    parameters: columns.map(({ image, index }) => ({ image, index, form: 'single' })),
  };
}

/** Parameter values for rows; `old` and `next` hold the same rows in the same order. */
export function bindRows(statement: Statement, old: readonly RowImage[], next: readonly RowImage[]): Value[] {
  const { parameters } = statement;
  const [first] = parameters;
  if (first?.form === 'single') {
    const [row] = next;
    if (old.length === 0 && row !== undefined && isPacked(row)) return packedValues(row, parameters);
    const images = { old: old[0] && cellsOf(old[0]), new: next[0] && cellsOf(next[0]) };
    return parameters.map(({ image, index }) => singleValue(images[image]?.[index]));
  }
  const sinks: Record<'old' | 'new', ArrayWriter[]> = { old: [], new: [] };
  const writers = parameters.map(({ image, index, form }) => {
    if (sinks[image][index] !== undefined) throw new RangeError(`column ${index} is bound twice`);
    const writer = new ArrayWriter(form as ElementForm, (image === 'old' ? old : next).length);
    sinks[image][index] = writer;
    return writer;
  });
  if (sinks.old.length > 0) for (let at = 0; at < old.length; at++) giveCells(old[at] as RowImage, sinks.old);
  if (sinks.new.length > 0) for (let at = 0; at < next.length; at++) giveCells(next[at] as RowImage, sinks.new);
  return writers.map((writer) => writer.end());
}

/** As they came: no text is made of them, and large ones are not copied. */
function packedValues(row: PackedRow, parameters: readonly StatementParameter[]): Value[] {
  const values: Value[] = [];
  const sink: CellSink = {
    nil: () => values.push(null),
    packed: (bytes, start, end) => values.push(new TextBytes(bytes.subarray(start, end))),
    cell: (cell) => values.push(singleValue(cell)),
  };
  giveCells(row, new Array<CellSink>(readUInt16(row.bytes, row.at)).fill(sink));
  return parameters.map(({ index }) => {
    const value = values[index];
    if (value === undefined) throw new RangeError(`a packed row without column ${index}`);
    return value;
  });
}

function singleValue(cell: Cell | undefined): string | null {
  if (typeof cell === 'string' || cell === null) return cell;
  if (Buffer.isBuffer(cell)) return `\\x${cell.toString('hex')}`;
  throw new TypeError('a cell without a value reached a statement');
}

export function columnList(columns: readonly SetColumn[]): string {
  return columns.map((c) => quoteIdentifier(c.column.name)).join(', ');
}
