import { ABSENT, type Row, UNCHANGED } from '../core/cell.ts';
import { mysqlColumnType } from './mysql-column-type.ts';
import { ExpressionFailure } from './problem.ts';
import { arrayElements } from './types/array.ts';
import { typeForms } from './types/type-forms.ts';
import type { Value } from './types/value.ts';

export interface ExpressionColumn {
  readonly name: string;
  /** As the source has it: `pg_catalog.int4`, `public.mood`; of MySQL `bigint unsigned`. */
  readonly type: string;
  readonly modifier: number;
}

/** `pg_catalog.int4` is int4 here; types of other schemas keep theirs. */
export function shortType(type: string): string {
  return type.startsWith('pg_catalog.') ? type.slice('pg_catalog.'.length) : type;
}

/** Reads the elements of a column with an array. */
export function arrayReader(
  name: string,
  index: number,
  read: (text: string) => Value,
): (row: Row) => readonly Value[] | null {
  const cells = columnReader({ name, type: 'pg_catalog.text', modifier: -1 }, index);
  return (row) => {
    const text = cells(row);
    if (text === null) return null;
    const elements = arrayElements(String(text));
    if (elements === null) throw new ExpressionFailure(`column "${name}" has a value that expressions do not know`);
    return elements.map((element) => (element === null ? null : read(element)));
  };
}

/** The type of the language whose values a column has. */
export function valueType(type: string): string {
  return mysqlColumnType(type) ?? shortType(type);
}

/** Reads one column of a row; a failure where the change does not carry it. */
export function columnReader({ name, type: typeName }: ExpressionColumn, index: number): (row: Row) => Value {
  const type = valueType(typeName);
  const form = typeForms.get(type);
  // What another vendor has printed may be no value of the type.
  const read = type === shortType(typeName) ? (form?.readPrinted ?? form?.read) : form?.read;
  const bytes = type === 'bytea';
  return (row) => {
    const cell = row[index];
    if (cell === null) return null;
    if (cell === undefined || cell === ABSENT || cell === UNCHANGED)
      throw new ExpressionFailure(`the change does not carry column "${name}"`);
    if (bytes && typeof cell !== 'string') return cell;
    const text = typeof cell === 'string' ? cell : cell.toString('utf8');
    if (read === undefined) return text;
    const value = read(text);
    if (value === null) throw new ExpressionFailure(`column "${name}" has a value that expressions do not know`);
    return value;
  };
}
